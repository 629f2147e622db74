// Runs the recipe of docs/guide/websocket.md with the packages graphql-ws and ws.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { Bandha } from '../../../src/bandha.ts';
import { createOwnYoga, createTestBandha } from '../../support/own-yoga.ts';
import { GOOD_PASSWORD } from '../../support/test-server.ts';

const WAYS: Record<string, (bandha: Bandha) => Bandha['yoga']> = {
  'bandha.yoga': (bandha) => bandha.yoga,
  'a Yoga server of the application': (bandha) => createOwnYoga(bandha),
};

describe.each(Object.keys(WAYS))('%s', (way) => {
  let bandha: Bandha;
  let server: Server;
  let sockets: ReturnType<typeof useServer>;
  let url: string;
  let token: string;
  beforeAll(async () => {
    bandha = await createTestBandha({
      typeDefs: 'type Subscription { count: Int! @auth }',
      resolvers: {
        Subscription: {
          count: {
            async *subscribe() {
              yield { count: 1 };
              yield { count: 2 };
            },
          },
        },
      },
    });
    const yoga = WAYS[way]?.(bandha) ?? bandha.yoga;
    server = createServer(bandha.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wss = new WebSocketServer({ server, path: '/graphql', maxPayload: 100_000 });
    type Root = Pick<ReturnType<typeof yoga.getEnveloped>, 'execute' | 'subscribe'>;
    sockets = useServer(
      {
        execute: (args) => (args.rootValue as Root).execute(args as ExecutionArgs),
        subscribe: (args) => (args.rootValue as Root).subscribe(args as ExecutionArgs),
        async onSubscribe(context, _id, params) {
          const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
            ...context,
            req: context.extra.request,
            params,
          });
          const document = parse(params.query);
          const errors = validate(schema, document);
          if (errors.length > 0) return errors;
          return {
            schema,
            document,
            operationName: params.operationName,
            variableValues: params.variables,
            contextValue: await contextFactory(),
            rootValue: { execute, subscribe },
          };
        },
      },
      wss,
    );
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    const device = { userAgent: undefined, ipAddress: undefined };
    const credentials = { email: 'ada@example.com', password: GOOD_PASSWORD };
    token = (await bandha.accounts.register(credentials, device)).accessToken;
  });
  afterAll(async () => {
    await sockets.dispose();
    server.close();
    await bandha.close();
  });

  async function run(
    query: string,
    connectionParams?: Record<string, unknown>,
    headers = {},
  ): Promise<unknown[]> {
    class WithHeaders extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers });
      }
    }
    const client = createClient({ url, connectionParams, webSocketImpl: WithHeaders, retryAttempts: 0 });
    try {
      const results: unknown[] = [];
      for await (const result of client.iterate({ query })) results.push(result);
      return results;
    } finally {
      await client.dispose();
    }
  }
  const VIEWER = '{ viewer { email } }';
  const signedIn = [{ data: { viewer: { email: 'ada@example.com' } } }];

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])(
    'takes the token from connectionParams.%s',
    async (name) => {
      expect(await run(VIEWER, { [name]: `Bearer ${token}` })).toEqual(signedIn);
    },
  );

  it('reads the token from the request that opened the socket', async () => {
    expect(await run(VIEWER, undefined, { authorization: `Bearer ${token}` })).toEqual(signedIn);
    expect(await run(VIEWER, {}, { authorization: `Bearer ${token}` })).toEqual(signedIn);
  });

  it.each<[string, Record<string, unknown> | undefined]>([
    ['nothing', undefined],
    ['no authorization', { token: 'x' }],
    ['a number', { authorization: 1 }],
    ['a list', { authorization: ['Bearer x'] }],
    ['an object', { authorization: {} }],
    ['null', { authorization: null }],
  ])('treats %s as no token', async (_, connectionParams) => {
    expect(await run(VIEWER, connectionParams)).toEqual([{ data: { viewer: null } }]);
    expect(await run('{ sessions { id } }', connectionParams)).toMatchObject([
      { errors: [{ extensions: { reason: 'MISSING_TOKEN' } }] },
    ]);
  });

  it('the error of a bad token contains the reason', async () => {
    expect(await run('{ sessions { id } }', { authorization: 'Bearer nonsense' })).toMatchObject([
      { errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'TOKEN_MALFORMED' } }] },
    ]);
  });

  it('delivers events to callers who may subscribe', async () => {
    expect(await run('subscription { count }', { authorization: `Bearer ${token}` })).toEqual([
      { data: { count: 1 } },
      { data: { count: 2 } },
    ]);
    expect(await run('subscription { count }')).toMatchObject([
      { errors: [{ extensions: { reason: 'MISSING_TOKEN' } }] },
    ]);
  });

  it('a sign-in stores the client in the list of sessions', async () => {
    const login = `mutation { login(email: "ada@example.com", password: "${GOOD_PASSWORD}") { tokenType } }`;
    expect(await run(login, {}, { 'user-agent': 'over a socket' })).toEqual([
      { data: { login: { tokenType: 'Bearer' } } },
    ]);
    const [result] = await run('{ sessions { userAgent ipAddress } }', { authorization: `Bearer ${token}` });
    expect(result).toMatchObject({
      data: {
        sessions: expect.arrayContaining([{ userAgent: 'over a socket', ipAddress: '127.0.0.1' }]),
      },
    });
  });
});
