// Checks the limits of open subscriptions per session and per process.
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { BandhaOptions } from '../../../src/bandha.ts';
import { createOpenSubscriptions } from '../../../src/http/plugins/use-subscription-limits.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer | undefined;
const opened: ClientRequest[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await server?.close();
});

const typeDefs = 'type Subscription { ticks: Int!  once: Int!  never: Int!  fails: Int! }';
const resolvers = {
  Subscription: {
    ticks: {
      async *subscribe() {
        yield { ticks: 1 };
        await new Promise(() => {});
      },
    },
    once: {
      async *subscribe() {
        yield { once: 1 };
      },
    },
    never: {
      async *subscribe() {
        await new Promise(() => {});
      },
    },
    fails: {
      async *subscribe() {
        yield { fails: 1 };
        throw new Error('The source has failed');
      },
    },
  },
};

async function start(options: BandhaOptions): Promise<string> {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  server = await startTestServer({ typeDefs, resolvers, log, ...options });
  return server.url;
}

/** Opens a stream of server-sent events and waits for the first event. */
async function subscribe(url: string, field: string, token?: string) {
  const sent = request(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  opened.push(sent);
  sent.on('error', () => {});
  sent.end(JSON.stringify({ query: `subscription { ${field} }` }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage]; // Node's types do not name the arguments of events
  let text = '';
  const first = Promise.withResolvers<string>();
  response.setEncoding('utf8').on('data', (data) => {
    text += data;
    if (/^data: ./m.test(text)) first.resolve(text);
  });
  const ended = new Promise<string>((resolve) => response.on('close', () => resolve(text)));
  response.on('error', () => {});
  return { sent, response, first: first.promise, ended };
}

it('the limit of open subscriptions applies to each session separately', async () => {
  const url = await start({ maxSubscriptionsPerSession: 2 });
  const ada = (await register(url)).accessToken;
  const bob = (await register(url)).accessToken;
  for (const token of [ada, ada, bob])
    expect(await (await subscribe(url, 'ticks', token)).first).toContain('"ticks":1');
  const over = await subscribe(url, 'ticks', ada);
  expect(await over.ended).toContain('"code":"RATE_LIMITED"');
  expect(await over.ended).toContain('This session has too many open subscriptions.');
  expect(await (await subscribe(url, 'ticks', bob)).first).toContain('"ticks":1');
});

it('anonymous callers get at most half of the subscriptions of the process', async () => {
  const url = await start({ maxSubscriptions: 4 });
  const { accessToken } = await register(url);
  for (let i = 0; i < 2; i += 1) await (await subscribe(url, 'ticks')).first;
  expect(await (await subscribe(url, 'ticks')).ended).toContain('Too many subscriptions are open.');
  for (let i = 0; i < 2; i += 1) await (await subscribe(url, 'ticks', accessToken)).first;
  expect(await (await subscribe(url, 'ticks', accessToken)).ended).toContain('"code":"RATE_LIMITED"');
});

it.each(['once', 'fails'])('a subscription that has ended frees its slot: %s', async (field) => {
  const url = await start({ maxSubscriptionsPerSession: 1 });
  const { accessToken } = await register(url);
  for (let i = 0; i < 3; i += 1) {
    const text = await (await subscribe(url, field, accessToken)).ended;
    expect(text).toContain(`"${field}":1`);
    expect(text).not.toContain('RATE_LIMITED');
  }
});

it.each(['ticks', 'never'])('a client that disconnects frees its slot: %s', async (field) => {
  const url = await start({ maxSubscriptionsPerSession: 1 });
  const { accessToken } = await register(url);
  const { sent, ended, first } = await subscribe(url, field, accessToken);
  if (field === 'ticks') await first;
  expect(await (await subscribe(url, 'once', accessToken)).ended).toContain('RATE_LIMITED');
  sent.destroy();
  await ended;
  // The server closes the subscription shortly after the client.
  for (;;) {
    const text = await (await subscribe(url, 'once', accessToken)).ended;
    if (text.includes('"once":1')) break;
    expect(text).toContain('RATE_LIMITED');
  }
});

it('a revoked session frees its slots', async () => {
  const url = await start({ maxSubscriptions: 2, maxSubscriptionsPerSession: 1 });
  const first = await register(url);
  const stream = await subscribe(url, 'never', first.accessToken);
  await server?.send('mutation { logout }', { token: first.accessToken });
  expect(await stream.ended).toContain('TOKEN_REVOKED');
  for (let i = 0; i < 2; i += 1) {
    const { accessToken } = await register(url);
    await (await subscribe(url, 'ticks', accessToken)).first;
  }
});

describe('the count of open subscriptions', () => {
  const caller = (sessionId: string, userId = 'ada') => ({ sessionId, userId }) as Principal; // only these properties are read

  it('drops sessions without open subscriptions', () => {
    const open = createOpenSubscriptions({ maxSubscriptions: 100, maxSubscriptionsPerSession: 3 });
    for (let i = 0; i < 10_000; i += 1) {
      const slot = open.acquire(caller(`session ${i}`));
      if ('issue' in slot) throw new Error(slot.issue);
      slot.release();
      slot.release(); // counts once
    }
    expect([open.size, open.sessions]).toEqual([0, 0]);
  });

  it('counts by user if tokens contain no session', () => {
    const open = createOpenSubscriptions({ maxSubscriptions: 100, maxSubscriptionsPerSession: 1 });
    expect(open.acquire(caller('', 'ada'))).not.toHaveProperty('issue');
    expect(open.acquire(caller('', 'bob'))).not.toHaveProperty('issue');
    expect(open.acquire(caller('', 'ada'))).toHaveProperty('issue');
  });
});
