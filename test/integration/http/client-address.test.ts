// Checks the client's address on the fast path, on the Yoga handler and in a Yoga server of the application.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Bandha, createBandha, createListener } from '../../../src/bandha.ts';
import { silentLog } from '../../../src/utils/log.ts';
import { GOOD_PASSWORD, TEST_SECRET } from '../../support/test-server.ts';

const CLIENT = '203.0.113.7';
const REGISTER = `mutation ($email: String!, $password: String!) {
  register(email: $email, password: $password) { user { id } }
}`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function open(trustedProxies: readonly string[]): Promise<Bandha> {
  const bandha = await createBandha({
    secret: TEST_SECRET,
    databaseUrl: 'sqlite::memory:',
    trustedProxies,
    signup: 'open',
    log: silentLog,
  });
  closing.push(() => bandha.close());
  return bandha;
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

/** Registers with a raw request, whose `headers` may repeat. @returns the body, or undefined if the connection was closed */
async function register(
  port: number,
  headers: readonly string[],
  isChunked = false,
): Promise<string | undefined> {
  const variables = { email: `${crypto.randomUUID()}@example.com`, password: GOOD_PASSWORD };
  const body = JSON.stringify({ query: REGISTER, variables });
  const length = isChunked ? [] : ['content-length', String(Buffer.byteLength(body))];
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/graphql',
    method: 'POST',
    headers: ['host', 'x', 'content-type', 'application/json', ...length, ...headers],
  });
  sent.end(body);
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return (await response.toArray()).join('');
  } catch {
    return undefined;
  }
}

const WAYS: [string, (bandha: Bandha) => RequestListener, boolean][] = [
  ['the fast path', (bandha) => bandha.listener, false],
  ['the Yoga handler', (bandha) => bandha.listener, true],
  [
    'a Yoga server of the application',
    ({ schema, plugins }) => createYoga({ schema, plugins, logging: false }),
    false,
  ],
  [
    'a listener before an application’s Yoga server',
    (bandha) =>
      createListener(createYoga({ schema: bandha.schema, plugins: bandha.plugins, logging: false }), bandha),
    false,
  ],
];

/** Addresses of the sessions of the account in a response. */
async function addressesOf(bandha: Bandha, body: string | undefined): Promise<(string | undefined)[]> {
  const { data } = JSON.parse(body ?? '{}');
  const sessions = await bandha.store.listLiveSessions(data.register.user.id, new Date(), 1_000);
  return sessions.map(({ ipAddress }) => ipAddress);
}

describe.each(WAYS)('by %s', (_, listenerOf, isChunked) => {
  it.each<[string, string[], string[], string]>([
    ['a trusted proxy names it', ['127.0.0.0/8'], ['x-forwarded-for', `192.0.2.66, ${CLIENT}`], CLIENT],
    [
      'several header lines are joined',
      ['127.0.0.0/8', '10.0.0.0/8'],
      ['X-Forwarded-For', CLIENT, 'x-forwarded-for', '10.0.0.9'],
      CLIENT,
    ],
    [
      'other headers are ignored',
      ['127.0.0.0/8'],
      ['forwarded', `for=${CLIENT}`, 'x-real-ip', CLIENT, 'cf-connecting-ip', CLIENT],
      '127.0.0.1',
    ],
    ['no proxy is trusted', [], ['x-forwarded-for', CLIENT], '127.0.0.1'],
    ['another proxy is trusted', ['10.0.0.0/8'], ['x-forwarded-for', CLIENT], '127.0.0.1'],
  ])('a session has the right address if %s', async (_, trusted, headers, expected) => {
    const bandha = await open(trusted);
    const port = await listen(listenerOf(bandha));
    const body = await register(port, headers, isChunked);
    expect(await addressesOf(bandha, body)).toEqual([expected]);
  });

  it('a session has the address of a connection that closed before the operation ran', async () => {
    const bandha = await open([]);
    const listener = listenerOf(bandha);
    const port = await listen((req, res) => {
      req.once('end', () => req.socket.destroy());
      listener(req, res);
    });
    const createSession = vi.spyOn(bandha.store, 'createSession');
    expect(await register(port, [], isChunked)).toBeUndefined();
    await vi.waitUntil(() => createSession.mock.calls.length > 0, { timeout: 30_000 });
    expect(createSession.mock.calls[0]?.[0].ipAddress).toBe('127.0.0.1');
  });
});

it('the address is unknown without a socket, even with forwarding headers', async () => {
  const bandha = await open(['127.0.0.0/8']);
  const variables = { email: 'ada@example.com', password: GOOD_PASSWORD };
  const response = await bandha.yoga.fetch('http://test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': CLIENT },
    body: JSON.stringify({ query: REGISTER, variables }),
  });
  expect(await addressesOf(bandha, await response.text())).toEqual([undefined]);
});

describe('an operation without a WHATWG request, as over a WebSocket', () => {
  it.each([
    ['a socket', { req: { socket: { remoteAddress: '127.0.0.1' } } }, '127.0.0.1'],
    [
      'a socket and headers',
      { req: { socket: { remoteAddress: '127.0.0.1' }, headers: { 'x-forwarded-for': CLIENT } } },
      CLIENT,
    ],
    ['neither', {}, undefined],
  ])('registration succeeds with %s', async (_, origin, expected) => {
    const bandha = await open(['127.0.0.0/8']);
    const yoga = createYoga({ schema: bandha.schema, plugins: bandha.plugins, logging: false });
    const { schema, parse, execute, contextFactory } = yoga.getEnveloped(origin);
    const email = `${crypto.randomUUID()}@example.com`;
    const result = await execute({
      schema,
      document: parse(REGISTER),
      contextValue: await contextFactory(),
      variableValues: { email, password: GOOD_PASSWORD },
    });
    expect(await addressesOf(bandha, JSON.stringify(result))).toEqual([expected]);
  });
});
