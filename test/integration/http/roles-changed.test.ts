// Checks that changed roles take effect at once: older tokens are rejected, and the next token has the new roles.
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import type { FeedEvent } from '../../../src/storage/store.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken } }';
const ROLES = '{ viewer { roles } }';
const STATISTICS = '{ statistics }';

let server: TestServer;
/** Called for each event of the revocation feed. */
let onEvent: (change: FeedEvent) => void;
/** Number of times that the source of a subscription was closed. */
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
  onEvent = () => {};
  await server.bandha.store.subscribe(
    (change) => onEvent(change),
    () => server.clock.now,
  );
});
afterEach(() => server.close());

/** Gives one event, then nothing until it is closed. */
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

/** Changes the roles, and waits until the server has received the event. */
async function change(email: string, roles: { add?: string[]; remove?: string[] }): Promise<void> {
  const received = new Promise<void>((resolve) => {
    onEvent = ({ kind }) => kind === 'ROLES_CHANGED' && resolve();
  });
  const { store } = server.bandha;
  const changed = await changeRoles({ store, now: () => server.clock.now }, email, roles);
  expect(changed?.changed).toBe(true);
  await received;
}

async function refresh(token: string): Promise<string> {
  const { body } = await server.send(REFRESH, { variables: { token } });
  return body.data.refresh.accessToken;
}

describe('an added role', () => {
  it('the next token has an added role, and older ones get TOKEN_EXPIRED', async () => {
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

  it('an added role does not affect other users', async () => {
    const [ada, bob] = [await register(server.url), await register(server.url)];
    await change(ada.user.email, { add: ['analyst'] });
    expect((await server.send('{ sessions { id } }', { token: bob.accessToken })).status).toBe(200);
  });
});

describe('a removed role', () => {
  it('a token with a removed role is rejected at once', async () => {
    const { user, refreshToken } = await register(server.url);
    await change(user.email, { add: ['analyst'] });
    const tokenWithRole = await refresh(refreshToken);
    expect((await server.send(STATISTICS, { token: tokenWithRole })).status).toBe(200);
    await change(user.email, { remove: ['analyst'] });
    const rejected = await server.send(STATISTICS, { token: tokenWithRole });
    expect(rejected.body.errors[0].extensions.reason).toBe('TOKEN_EXPIRED');
    const without = await server.send(STATISTICS, { token: await refresh(refreshToken) });
    expect([without.status, without.body.errors[0].extensions.reason]).toEqual([403, 'MISSING_ROLE']);
  });

  it('a token stays valid if its role is removed and added again', async () => {
    const { user, refreshToken } = await register(server.url);
    await change(user.email, { add: ['analyst'] });
    const token = await refresh(refreshToken);
    await change(user.email, { remove: ['analyst'] });
    await change(user.email, { add: ['analyst'] });
    expect((await server.send(STATISTICS, { token })).body).toEqual({ data: { statistics: 42 } });
  });
});

describe('a subscription', () => {
  /** Opens a subscription and reads its first event. */
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

  it('a subscription with an older token ends with TOKEN_EXPIRED', async () => {
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
