// Checks the deadline of bodies that never end, and the limit for the bytes of all pending bodies, on every listener.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createBandha, createListener } from '../../../src/bandha.ts';
import { ConfigError } from '../../../src/errors.ts';
import { type BodyLimitOptions, type BodyLimits, createBodyLimits } from '../../../src/http/body-limits.ts';
import type { ListenerOptions } from '../../../src/http/fast-path/listener.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const entries: { level: string; message: string }[] = [];
const noteAs = (level: string) => (_: object, message: string) => void entries.push({ level, message });
const log = { debug: noteAs('debug'), info: noteAs('info'), warn: noteAs('warn'), error: noteAs('error') };

let bandha: Bandha;
beforeAll(async () => {
  const options = { databaseUrl: 'sqlite::memory:', secret: TEST_SECRET, bodyTimeoutSeconds: 1 };
  bandha = await createBandha({ ...options, log });
});
afterAll(() => bandha.close());

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

interface Connection {
  socket: Socket;
  /** Resolves with all bytes received when the server closes the connection. */
  closed: Promise<string>;
}

async function open(port: number, text: string): Promise<Connection> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let received = '';
  socket.setEncoding('utf8').on('data', (data) => {
    received += data;
  });
  socket.on('error', () => {}); // the server may reset the connection during a write
  const closed = once(socket, 'close').then(() => received);
  await once(socket, 'connect');
  await new Promise((written) => socket.write(text, written));
  return { socket, closed };
}

const head = (...headers: string[]) =>
  ['POST /graphql HTTP/1.1', 'Host: localhost', ...headers, '', ''].join('\r\n');
const JSON_TYPE = 'Content-Type: application/json';
const body = JSON.stringify({ query: '{ viewer { id } }' });
const padded = (bytes: number) => `{"query":"{ viewer { id } }${' '.repeat(bytes)}`;
const WHOLE = head(JSON_TYPE, `Content-Length: ${body.length}`, 'Connection: close') + body;

const fastPath = (options?: ListenerOptions): RequestListener => {
  const { schema, plugins } = bandha;
  const cors = { origin: '*' };
  return createListener(createYoga({ schema, plugins, cors, graphiql: false, logging: false }), bandha, {
    cors,
    ...options,
  });
};
/** A `context` function disables the fast path. */
const yogaHandler = (options?: ListenerOptions): RequestListener => {
  const { schema, plugins } = bandha;
  const context = () => ({ own: true });
  return createListener(createYoga({ schema, plugins, context, logging: false }), bandha, options);
};

const UNFINISHED: [string, string][] = [
  ['no byte of the body', head(JSON_TYPE, 'Content-Length: 100')],
  ['a part of the body', head(JSON_TYPE, 'Content-Length: 100') + body],
  ['a chunk of the body', `${head(JSON_TYPE, 'Transfer-Encoding: chunked')}5\r\n{"que\r\n`],
  ['no chunk of the body', head(JSON_TYPE, 'Transfer-Encoding: chunked')],
  ['a part of a document', `${head('Content-Type: application/graphql', 'Content-Length: 100')}{ viewer`],
  [
    'a part of a form',
    `${head('Content-Type: application/x-www-form-urlencoded', 'X-GraphQL-Yoga-CSRF: 1', 'Content-Length: 90')}query=`,
  ],
];

describe.each<[string, () => RequestListener]>([
  ['the fast path of an application’s server', () => fastPath({ bodyTimeoutSeconds: 0.1 })],
  ['a server without the fast path', () => yogaHandler({ bodyTimeoutSeconds: 0.1 })],
  ['the listener of createBandha', () => bandha.listener],
])('a body that never ends, sent to %s,', (_, listenerOf) => {
  it.each(UNFINISHED)('gets 408 and a closed connection after %s', async (_, text) => {
    const connection = await open(await listen(listenerOf()), text);
    const [response = '', json = ''] = (await connection.closed).split('\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 408 /);
    expect(response.toLowerCase()).toContain('connection: close');
    expect(JSON.parse(json).errors[0].extensions).toEqual({ code: 'REQUEST_TIMEOUT' });
  });
});

it('the fast path and the Yoga handler send the same bytes for a late body', async () => {
  const withoutDate = (text: string) => text.replace(/^date:.*\r\n/im, '');
  const responses = [];
  for (const listener of [
    fastPath({ bodyTimeoutSeconds: 0.05 }),
    yogaHandler({ bodyTimeoutSeconds: 0.05 }),
  ]) {
    const { closed } = await open(await listen(listener), head(JSON_TYPE, 'Content-Length: 100'));
    responses.push(withoutDate(await closed));
  }
  expect(responses[0]).toBe(responses[1]);
});

it('a client that sends single bytes gets 408 at the same deadline', async () => {
  const port = await listen(fastPath({ bodyTimeoutSeconds: 0.2 }));
  const { socket, closed } = await open(port, head(JSON_TYPE, 'Content-Length: 100000'));
  const drip = setInterval(() => socket.write(' '), 10);
  expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(drip);
});

it('the deadline closes a connection whose response preceded the end of the body', async () => {
  const port = await listen(yogaHandler({ bodyTimeoutSeconds: 0.2 }));
  const text = head(JSON_TYPE, 'Content-Length: 100').replace('/graphql', '/nowhere');
  expect(await (await open(port, text)).closed).toMatch(/^HTTP\/1\.1 404 /);
});

it('late bodies cause no error in the log', async () => {
  await (await open(await listen(bandha.listener), head(JSON_TYPE, 'Transfer-Encoding: chunked'))).closed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(entries.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  expect(entries.map(({ message }) => message)).toContain('request rejected because its body did not arrive');
});

it('a body in many parts gets the same response as a body in one part', async () => {
  for (const listener of [fastPath(), yogaHandler()]) {
    const port = await listen(listener);
    const { socket, closed } = await open(port, WHOLE.slice(0, -10));
    for (const byte of WHOLE.slice(-10)) await new Promise((written) => socket.write(byte, written));
    expect(await closed).toMatch(/^HTTP\/1\.1 200 .*\{"data":\{"viewer":null\}\}$/s);
  }
});

describe.each<[string, (options: ListenerOptions) => RequestListener]>([
  ['the fast path', fastPath],
  ['the Yoga handler', yogaHandler],
])('the limit for all pending bodies, on %s,', (_, listenerOf) => {
  it('rejects the newest body with 503 and Retry-After', async () => {
    const port = await listen(listenerOf({ bodyTimeoutSeconds: 30, maxPendingBodyBytes: 100_000 }));
    const text = head(JSON_TYPE, 'Content-Length: 90000') + padded(40_000);
    const first = await open(port, text);
    const second = await open(port, text);
    const third = await open(port, text);
    const [response = '', json = ''] = (await third.closed).split('\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 503 /);
    expect(response.toLowerCase()).toContain('retry-after: 1');
    expect(JSON.parse(json).errors[0].extensions).toEqual({ code: 'SERVICE_UNAVAILABLE' });
    // A request that arrives in one piece never waits in memory.
    expect(await (await open(port, WHOLE)).closed).toMatch(/^HTTP\/1\.1 200 /);
    expect([first.socket.closed, second.socket.closed]).toEqual([false, false]);
    // The bytes of a client that has disconnected are free again.
    first.socket.destroy();
    second.socket.destroy();
    const parts = padded(80_000);
    const late = await open(
      port,
      head(JSON_TYPE, `Content-Length: ${parts.length + 2}`, 'Connection: close') + parts,
    );
    late.socket.write('"}');
    expect(await late.closed).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a thousand bodies that never end', () => {
  const limited = async (options: BodyLimitOptions) => {
    let peak = 0;
    const bodies: BodyLimits = createBodyLimits(options, () => {});
    const port = await listen((req, res) => {
      bodies.watch(req, res);
      req.on('data', () => {
        peak = Math.max(peak, bodies.pendingBytes);
      });
    });
    return { bodies, port, peak: () => peak };
  };

  it('pending bodies hold at most the limit, and nothing after the deadline', async () => {
    const { bodies, port, peak } = await limited({ bodyTimeoutSeconds: 5, maxPendingBodyBytes: 2_000_000 });
    const text = head('Content-Length: 99999') + ' '.repeat(10_000);
    const responses = await Promise.all(
      Array.from({ length: 1_000 }, async () => (await open(port, text)).closed),
    );
    const statuses = Map.groupBy(responses, (response) => response.slice(9, 12));
    expect([...statuses.keys()].sort()).toEqual(['408', '503']);
    expect(peak()).toBeGreaterThan(0);
    expect(peak()).toBeLessThanOrEqual(2_000_000);
    expect([bodies.pendingBodies, bodies.pendingBytes]).toEqual([0, 0]);
  });

  it('pending bodies are released when their clients disconnect', async () => {
    const { bodies, port } = await limited({ bodyTimeoutSeconds: 60 });
    const opened = await Promise.all(
      Array.from({ length: 100 }, () => open(port, head('Content-Length: 99999') + ' '.repeat(1_000))),
    );
    for (const { socket } of opened) socket.destroy();
    while (bodies.pendingBodies > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(bodies.pendingBytes).toBe(0);
  });
});

it.each<BodyLimitOptions>([
  { bodyTimeoutSeconds: 0 },
  { bodyTimeoutSeconds: -1 },
  { bodyTimeoutSeconds: Number.NaN },
  { bodyTimeoutSeconds: Number.POSITIVE_INFINITY },
  { maxPendingBodyBytes: 0 },
])('createListener rejects %o', (options) => {
  expect(() => fastPath(options)).toThrow(ConfigError);
});
