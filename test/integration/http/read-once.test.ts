// Checks that the caller's data costs one read of the store per request, regardless of how often it is selected.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BandhaOptions } from '../../../src/bandha.ts';
import {
  register,
  type SignedIn,
  sendOperation,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const aliases = (count: number, field: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => field(index)).join(' ');
const VIEWERS = `{ ${aliases(100, (i) => `v${i}: viewer { id email }`)} }`;
const NESTED = `{ ${aliases(10, (i) => `s${i}: secureData { ...Users }`)} }
  fragment Users on SecureData { ${aliases(10, (i) => `u${i}: user { id }`)} }`;
const MIXED = '{ viewer { id } secureData { user { id } } again: viewer { roles } }';
const SESSIONS = `{ ${aliases(99, (i) => `s${i}: sessions { id current }`)} }`;

let server: TestServer;
let caller: SignedIn;
let ownYoga: Server;
let reads: { findUserById: ReturnType<typeof vi.spyOn>; listLiveSessions: ReturnType<typeof vi.spyOn> };

const APPLICATION: BandhaOptions = {
  typeDefs: `
    extend type Query { fails: Int  query: Query! }
    extend type Mutation { addRole(role: String!): Query! }
    type Subscription { ticks: Query! }
  `,
  resolvers: {
    Query: {
      fails: () => {
        throw new Error('as an application may');
      },
      query: () => ({}),
    },
    Mutation: {
      addRole: async (_: unknown, { role }: { role: string }) => {
        await addRole(role);
        return {};
      },
    },
    Subscription: {
      ticks: {
        async *subscribe() {
          yield { ticks: {} };
          yield { ticks: {} };
        },
      },
    },
  },
};

beforeEach(() => start(APPLICATION));
afterEach(stop);

async function start(options: BandhaOptions): Promise<void> {
  server = await startTestServer(options);
  caller = await register(server.url);
  const { store } = server.bandha;
  reads = {
    findUserById: vi.spyOn(store, 'findUserById'),
    listLiveSessions: vi.spyOn(store, 'listLiveSessions'),
  };
  const { schema, plugins } = server.bandha;
  ownYoga = createServer(createYoga({ schema, plugins, logging: false })).listen(0, '127.0.0.1');
  await once(ownYoga, 'listening');
}

async function stop(): Promise<void> {
  ownYoga.closeAllConnections();
  ownYoga.close();
  await server.close();
}

const addRole = (role: string) =>
  server.bandha.store.changeRoles(caller.user.email, { add: [role] }, server.clock.now);

const WAYS: Record<string, (query: string) => Promise<{ body: Record<string, unknown> }>> = {
  'the fast path': (query) => sendOperation(server.url, query, { token: caller.accessToken }),
  'the Yoga handler': async (query) => {
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${caller.accessToken}` },
    });
    return { body: await response.json() };
  },
  'a Yoga server of its own': (query) => {
    const { port } = ownYoga.address() as AddressInfo; // a TCP server that listens has one
    return sendOperation(`http://127.0.0.1:${port}`, query, { token: caller.accessToken });
  },
};

describe.each(Object.entries(WAYS))('through %s', (_way, send) => {
  it.each<[string, string, 'findUserById' | 'listLiveSessions']>([
    ['100 aliases of viewer', VIEWERS, 'findUserById'],
    ['viewer and secureData.user together', MIXED, 'findUserById'],
    ['99 aliases of sessions', SESSIONS, 'listLiveSessions'],
    ['10 times 10 aliases of secureData.user', NESTED, 'findUserById'],
  ])('reads the store once for %s', async (_, query, read) => {
    await stop();
    await start({}); // secureData is not part of an application's schema
    const { body } = await send(query);
    expect(body.errors).toBeUndefined();
    expect(reads[read]).toHaveBeenCalledTimes(1);
  });

  it('reads the store again for the next request', async () => {
    await send(VIEWERS);
    await send(VIEWERS);
    expect(reads.findUserById).toHaveBeenCalledTimes(2);
  });

  it('reads the store once for a query that also fails elsewhere', async () => {
    const query = `{ fails ${aliases(9, (i) => `v${i}: viewer { id }`)} }`;
    for (const round of [1, 2]) {
      expect((await send(query)).body).toMatchObject({ data: { fails: null, v8: { id: caller.user.id } } });
      expect(reads.findUserById).toHaveBeenCalledTimes(round);
    }
  });

  it('a failed read is reported in each field, and happens once', async () => {
    reads.findUserById.mockRejectedValue(new Error('The database is away'));
    const { body } = await send('{ a: viewer { id } b: viewer { id } }');
    expect(body).toMatchObject({ data: { a: null, b: null }, errors: [{ path: ['a'] }, { path: ['b'] }] });
    expect(reads.findUserById).toHaveBeenCalledTimes(1);
  });
});

describe('an account that changes during the operation', () => {
  it('the store is read again after each mutation', async () => {
    const { body } = await server.send(
      'mutation { one: addRole(role: "a") { viewer { roles } again: viewer { roles } } two: addRole(role: "b") { viewer { roles } } }',
      { token: caller.accessToken },
    );
    const [one, two] = [{ roles: ['a'] }, { roles: ['a', 'b'] }];
    expect(body.data).toEqual({ one: { viewer: one, again: one }, two: { viewer: two } });
    expect(reads.findUserById).toHaveBeenCalledTimes(2);
  });

  it('the store is read again for each event of a subscription', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${caller.accessToken}`,
      },
      body: JSON.stringify({ query: 'subscription { ticks { viewer { roles } again: viewer { roles } } }' }),
    });
    expect((await response.text()).match(/^data: .*"viewer"/gm)).toHaveLength(2);
    expect(reads.findUserById).toHaveBeenCalledTimes(2);
  });
});
