// Roles that change take effect at once: the token from before is as good as expired, and the next one has the new roles.
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import type { FeedEvent } from '../../../src/storage/store.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken } }';
const ROLES = '{ viewer { roles } }';
const STATISTICS = '{ statistics }';

let server: TestServer;
/** Called when the server has been told of a change. */
let told: (change: FeedEvent) => void;
/** How often the source of a subscription was closed. */
let closings: number;
beforeEach(async () => {
  closings = 0;
  server = await startTestServer({
    typeDefs: `
      extend type Query { statistics: Int @auth(roles: ["analyst"]) }
      type Subscription { ticks: Int @auth }
    `,
    resolvers: {
      Query: { statistics: () => 42 },
      Subscription: { ticks: { subscribe: createTicks } },
    },
  });
  told = () => {};
  await server.bandha.store.subscribe(
    (change) => told(change),
    () => server.clock.now,
  );
});
afterEach(() => server.close());

/** One event, and then nothing until it is closed. */
function createTicks(): AsyncIterable<{ ticks: number }> {
  const events = [{ ticks: 1 }];
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const value = events.shift();
        return value === undefined ? new Promise(() => {}) : { done: false, value };
      },
      async return() {
        closings += 1;
        return { done: true, value: undefined };
      },
    }),
  };
}

/** Changes the roles, and waits until the server has heard of it. */
async function change(email: string, roles: { add?: string[]; remove?: string[] }): Promise<void> {
  const heard = new Promise<void>((resolve) => {
    told = ({ kind }) => kind === 'ROLES_CHANGED' && resolve();
  });
  const { store } = server.bandha;
  const changed = await changeRoles({ store, now: () => server.clock.now }, email, roles);
  expect(changed?.changed).toBe(true);
  await heard;
}

async function refresh(token: string): Promise<string> {
  const { body } = await server.send(REFRESH, { variables: { token } });
  return body.data.refresh.accessToken;
}

describe('a role that is given', () => {
  it('is in the next token; the one from before is refused with TOKEN_EXPIRED, as if it had', async () => {
    const { user, accessToken, refreshToken } = await register(server.url);
    const missing = await server.send(STATISTICS, { token: accessToken });
    expect([missing.status, missing.body.errors[0].extensions.reason]).toEqual([403, 'MISSING_ROLE']);

    await change(user.email, { add: ['analyst'] });
    const before = await server.send(STATISTICS, { token: accessToken });
    expect(before.status).toBe(401);
    expect(before.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(before.body.errors[0].extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_EXPIRED',
    });

    const token = await refresh(refreshToken);
    expect(decodeJwt(token).roles).toEqual(['analyst']);
    expect((await server.send(STATISTICS, { token })).body).toEqual({ data: { statistics: 42 } });
    expect((await server.send(ROLES, { token })).body).toEqual({ data: { viewer: { roles: ['analyst'] } } });
  });

  it('changes nothing for others', async () => {
    const [ada, bob] = [await register(server.url), await register(server.url)];
    await change(ada.user.email, { add: ['analyst'] });
    expect((await server.send('{ sessions { id } }', { token: bob.accessToken })).status).toBe(200);
  });
});

describe('a role that is taken away', () => {
  it('is gone at once, from the token too that has it', async () => {
    const { user, refreshToken } = await register(server.url);
    await change(user.email, { add: ['analyst'] });
    const with_ = await refresh(refreshToken);
    expect((await server.send(STATISTICS, { token: with_ })).status).toBe(200);
    await change(user.email, { remove: ['analyst'] });
    const refused = await server.send(STATISTICS, { token: with_ });
    expect(refused.body.errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    const without = await server.send(STATISTICS, { token: await refresh(refreshToken) });
    expect([without.status, without.body.errors[0].extensions.reason]).toEqual([403, 'MISSING_ROLE']);
  });

  it('and given back leaves the token good that has it', async () => {
    const { user, refreshToken } = await register(server.url);
    await change(user.email, { add: ['analyst'] });
    const token = await refresh(refreshToken);
    await change(user.email, { remove: ['analyst'] });
    await change(user.email, { add: ['analyst'] });
    expect((await server.send(STATISTICS, { token })).body).toEqual({ data: { statistics: 42 } });
  });
});

describe('a subscription', () => {
  /** Opens one and reads its first event. */
  async function subscribe(token: string) {
    const query = encodeURIComponent('subscription { ticks }');
    const response = await fetch(`${server.url}/graphql?query=${query}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` },
    });
    const decoder = new TextDecoder();
    let text = '';
    const chunks = (response.body ?? new ReadableStream<Uint8Array>())[Symbol.asyncIterator]();
    async function readUntil(end: string | undefined): Promise<string> {
      while (end === undefined || !text.includes(end)) {
        const { done, value } = await chunks.next();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      return text;
    }
    await readUntil('"ticks":1');
    return { readToEnd: () => readUntil(undefined) };
  }

  it('that was opened with the token from before ends with TOKEN_EXPIRED, and its source is closed', async () => {
    const { user, accessToken, refreshToken } = await register(server.url);
    const { readToEnd } = await subscribe(accessToken);
    await change(user.email, { add: ['analyst'] });
    expect(await readToEnd()).toContain('"reason":"TOKEN_EXPIRED"');
    expect(closings).toBe(1);
    const again = await subscribe(await refresh(refreshToken));
    await change(user.email, { remove: ['analyst'] });
    expect(await again.readToEnd()).toContain('"reason":"TOKEN_EXPIRED"');
    expect(closings).toBe(2);
  });
});
