// Checks persisted queries with Yoga's plugins, before and after Bandha's, and without any.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { useAPQ } from '@graphql-yoga/plugin-apq';
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import { parse } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createListener } from '../../../src/bandha.ts';
import { createTestBandha, LISTENERS, type Listening, listen } from '../../support/own-yoga.ts';

const QUERY = '{ viewer { id } }';
const SECURE = 'mutation { logout }';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const extensionsOf = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });
const NOT_SUPPORTED = {
  errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
};

let bandha: Bandha;
beforeAll(async () => {
  bandha = await createTestBandha();
});
afterAll(() => bandha.close());

type Send = (params: Record<string, unknown>) => Promise<{ status: number; body: unknown }>;
const read = async (response: Response) => ({ status: response.status, body: await response.json() });
const SENDERS: Record<string, (url: string) => Send> = {
  POST: (url) => async (params) =>
    read(
      await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(params),
      }),
    ),
  GET: (url) => async (params) => {
    const texts = Object.entries(params).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    return read(await fetch(`${url}/graphql?${new URLSearchParams(texts)}`));
  },
};

const ORDERS: Record<string, (plugin: Plugin) => Plugin[]> = {
  after: (plugin) => [...bandha.plugins, plugin],
  before: (plugin) => [plugin, ...bandha.plugins],
};

describe.each(Object.keys(ORDERS))('a plugin %s those of Bandha', (order) => {
  async function withPlugin(plugin: object, use: (server: Listening) => Promise<void>): Promise<void> {
    const plugins = ORDERS[order]?.(plugin as Plugin) ?? []; // plugins of envelop and Yoga differ in the type of their context alone
    const server = await listen(
      createListener(createYoga({ schema: bandha.schema, plugins, logging: false }), bandha),
    );
    try {
      await use(server);
    } finally {
      server.close();
    }
  }

  it.each(Object.entries(SENDERS))('useAPQ completes a hash sent by %s', async (_, senderTo) => {
    await withPlugin(useAPQ(), async ({ url }) => {
      const send = senderTo(url);
      const hash = { extensions: extensionsOf(QUERY) };
      expect((await send(hash)).body).toMatchObject({
        errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
      });
      expect(await send({ query: QUERY, ...hash })).toEqual({
        status: 200,
        body: { data: { viewer: null } },
      });
      expect(await send(hash)).toEqual({ status: 200, body: { data: { viewer: null } } });
    });
  });

  it('useAPQ runs no mutation by GET', async () => {
    await withPlugin(useAPQ(), async ({ url }) => {
      const hash = { extensions: extensionsOf(SECURE) };
      await SENDERS.POST?.(url)({ query: SECURE, ...hash });
      expect((await SENDERS.GET?.(url)(hash))?.status).toBe(405);
    });
  });

  it.each<[string, string | ReturnType<typeof parse>]>([
    ['a text', QUERY],
    ['a document', parse(QUERY)],
  ])('usePersistedOperations completes a hash with %s', async (_, operation) => {
    const plugin = usePersistedOperations({
      getPersistedOperation: (key) => (key === sha256(QUERY) ? operation : null),
    });
    await withPlugin(plugin, async ({ url }) => {
      for (const senderTo of Object.values(SENDERS)) {
        const send = senderTo(url);
        expect((await send({ extensions: extensionsOf(QUERY) })).body).toEqual({ data: { viewer: null } });
        expect((await send({ query: QUERY })).body).toMatchObject({
          errors: [{ message: 'PersistedQueryOnly' }],
        });
        expect((await send({ extensions: extensionsOf('{ unknown }') })).body).toMatchObject({
          errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_IN_LIST' } }],
        });
      }
    });
  });

  it('an onParams hook completes a request without a query', async () => {
    const plugin: Plugin = {
      onParams: ({ params, setParams }) => setParams({ ...params, query: params.query ?? QUERY }),
    };
    await withPlugin(plugin, async ({ url }) => {
      for (const senderTo of Object.values(SENDERS)) {
        expect((await senderTo(url)({})).body).toEqual({ data: { viewer: null } });
      }
    });
  });
});

describe.each(Object.keys(LISTENERS))('%s without a plugin for persisted queries', (way) => {
  let server: Listening;
  beforeAll(async () => {
    const listener = LISTENERS[way]?.(bandha);
    if (listener === undefined) throw new Error(`There is no way in called ${way}`);
    server = await listen(listener);
  });
  afterAll(() => server.close());

  it.each(Object.entries(SENDERS))(
    'rejects a hash sent by %s with PERSISTED_QUERY_NOT_SUPPORTED',
    async (_, to) => {
      const send = to(server.url);
      for (const more of [{}, { variables: {} }, { operationName: 'A' }]) {
        expect(await send({ extensions: extensionsOf(QUERY), ...more })).toEqual({
          status: 200,
          body: NOT_SUPPORTED,
        });
      }
      expect(await send({ extensions: { persistedQuery: 'x' } })).toEqual({
        status: 200,
        body: NOT_SUPPORTED,
      });
    },
  );

  it.each(Object.entries(SENDERS))('runs a query sent by %s with its hash', async (_, to) => {
    const send = to(server.url);
    expect((await send({ query: QUERY, extensions: extensionsOf(QUERY) })).body).toEqual({
      data: { viewer: null },
    });
    expect((await send({ query: QUERY, extensions: { anything: 1 } })).body).toEqual({
      data: { viewer: null },
    });
  });

  it.each(Object.entries(SENDERS))('rejects %s without query and hash with 400', async (_, to) => {
    const send = to(server.url);
    for (const params of [{}, { extensions: {} }, { extensions: { persistedQuery: null } }]) {
      expect(await send(params)).toEqual({
        status: 400,
        body: { errors: [{ message: 'Must provide query string.', extensions: { code: 'BAD_REQUEST' } }] },
      });
    }
  });

  it.each([false, true])(
    'Apollo falls back to the text; useGETForHashedQueries: %s',
    async (useGETForHashedQueries) => {
      const sent: string[] = [];
      const client = new ApolloClient({
        link: ApolloLink.from([
          new PersistedQueryLink({ sha256, useGETForHashedQueries }),
          new HttpLink({
            uri: `${server.url}/graphql`,
            fetch: (url, init) => {
              sent.push(`${init?.method} ${String(init?.body ?? url).includes('viewer') ? 'text' : 'hash'}`);
              return fetch(url, init);
            },
          }),
        ]),
        cache: new InMemoryCache(),
      });
      const query = gql(QUERY);
      for (let i = 0; i < 2; i += 1) {
        const { data } = await client.query({ query, fetchPolicy: 'network-only' });
        expect(data).toEqual({ viewer: null });
      }
      const first = useGETForHashedQueries ? 'GET hash' : 'POST hash';
      expect(sent).toEqual([first, 'POST text', 'POST text']);
      client.stop();
    },
  );
});
