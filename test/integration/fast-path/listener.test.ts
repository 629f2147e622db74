// Checks which servers and requests use the fast path, and that it retains nothing of its clients.
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { useEngine, useMaskedErrors } from '@envelop/core';
import { createYoga, type Plugin } from 'graphql-yoga';
import { type Logger, pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createBandha, createListener } from '../../../src/bandha.ts';
import { createPreparedOperations } from '../../../src/http/fast-path/prepare.ts';
import { openIdleConnections, startBadClients } from '../../support/bad-clients.ts';
import { parseResponse, request, sendBytes } from '../../support/raw-request.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { getServerParts } from '../../support/server-parts.ts';
import { GOOD_PASSWORD, sendOperation, TEST_SECRET } from '../../support/test-server.ts';

const secureData = createSecureDataResolvers();
let bandha: Bandha;
let token: string;
const logged: { msg: string; hooks?: string[] }[] = [];
const log: Logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
const requestUrls: string[] = [];
const fails: string[] = [];
const arrived = Promise.withResolvers<{ res: ServerResponse; readSignal: () => AbortSignal }>();

beforeAll(async () => {
  bandha = await createBandha({
    databaseUrl: 'sqlite::memory:',
    secret: TEST_SECRET,
    log,
    typeDefs: [
      secureDataTypeDefs,
      'extend type Query { agent: String  waits: String  fails: String  replaces: String  outlives: String }',
    ],
    resolvers: {
      ...secureData,
      Query: {
        ...secureData.Query,
        agent: (_: unknown, __: unknown, context: { request: Request }) => {
          requestUrls.push(context.request.url);
          return context.request.headers.get('user-agent');
        },
        fails: () => {
          fails.push('ran');
          throw new Error('inside');
        },
        replaces: (_: unknown, __: unknown, context: { request: unknown }) => {
          context.request = 'replaced';
          return context.request;
        },
        outlives: (_: unknown, __: unknown, context: { res: ServerResponse; request: Request }) => {
          arrived.resolve({ res: context.res, readSignal: () => context.request.signal });
          return new Promise(() => {});
        },
        waits: () => new Promise((resolve) => setTimeout(() => resolve('waited'), 50)),
      },
    },
  });
  const client = { userAgent: undefined, ipAddress: undefined };
  const signedIn = await bandha.accounts.register(
    { email: 'ada@example.com', password: GOOD_PASSWORD },
    client,
  );
  token = signedIn.accessToken;
});
afterAll(() => bandha.close());

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}` };
}

const SECURE = '{ secureData { message } }';
const EXPECTED = { data: { secureData: { message: 'Secure data access granted' } } };

/** Counts the requests that Yoga handles. */
function counting(): { plugin: Plugin; count: () => number } {
  let seen = 0;
  return {
    plugin: {
      onRequest() {
        seen += 1;
      },
    },
    count: () => seen,
  };
}

describe('a Yoga server of the application', () => {
  const own = (more: Plugin[] = [], options: object = {}) =>
    createYoga({
      schema: bandha.schema,
      plugins: [...bandha.plugins, ...more],
      logging: false,
      ...options,
    });

  it('createListener adds the fast path to an application’s Yoga server', async () => {
    logged.length = 0;
    const { url } = await listen(createListener(own(), bandha));
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
    expect((await sendOperation(url, SECURE)).status).toBe(401);
    expect(logged).toEqual([]);
  });

  it('a plugin with other hooks disables the fast path and is logged once', async () => {
    logged.length = 0;
    const { plugin, count } = counting();
    const { url } = await listen(createListener(own([plugin]), bandha));
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
    expect(count()).toBe(2);
    expect(logged.map(({ msg, hooks }) => [msg, hooks])).toEqual([
      ['fast path not used; the Yoga server has hooks that it would skip', ['onRequest']],
    ]);
  });

  it.each<[string, Plugin[], object]>([
    ['onParams', [{ onParams() {} }], {}],
    ['onParse', [{ onParse() {} }], {}],
    ['onValidate', [{ onValidate() {} }], {}],
    ['onContextBuilding', [{ onContextBuilding() {} }], {}],
    ['onExecute', [{ onExecute() {} }], {}],
    ['onResponse', [{ onResponse() {} }], {}],
    ['onResultProcess', [{ onResultProcess() {} }], {}],
    ['onContextBuilding', [], { context: () => ({ more: 1 }) }],
  ])('%s disables the fast path', async (hook, plugins, options) => {
    logged.length = 0;
    createListener(own(plugins, options), bandha);
    expect(logged.map(({ hooks }) => hooks)).toEqual([[hook]]);
  });

  it('Yoga handles requests with an Origin unless the listener has `cors`', async () => {
    const { url } = await listen(createListener(own(), bandha));
    const { headers } = await sendOperation(url, SECURE, {
      token,
      headers: { origin: 'https://app.example.com' },
    });
    expect(headers.get('access-control-allow-credentials')).toBe('true'); // Yoga's default
  });
});

describe('a Yoga server whose plugins look like Bandha’s', () => {
  // plugins of envelop and Yoga differ in the type of their context alone
  const shut = (plugins: Plugin[]) => {
    logged.length = 0;
    createListener(createYoga({ schema: bandha.schema, plugins, logging: false }), bandha);
    return logged.length === 1;
  };

  it('a second plugin of the same kind disables the fast path', () => {
    expect(shut([...bandha.plugins])).toBe(false);
    expect(
      shut([...bandha.plugins, useMaskedErrors({ maskError: () => new Error('hidden') }) as Plugin]),
    ).toBe(true);
    expect(shut([...bandha.plugins, useEngine({ execute: () => ({ data: null }) }) as Plugin])).toBe(true);
  });

  it('missing plugins of Bandha disable the fast path; another server’s are an error', async () => {
    const another = await createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET });
    expect(() => shut(another.plugins)).toThrow('must be the same in both guards of a server');
    expect(shut(bandha.plugins.slice(1))).toBe(true);
    await another.close();
  });
});

describe('a compiled query whose resolver throws', () => {
  it('a compiled query with an error runs its resolvers twice once, then once', async () => {
    const { url } = await listen(bandha.listener);
    const runs: number[] = [];
    for (let i = 0; i < 30; i += 1) {
      fails.length = 0;
      expect((await sendOperation(url, '{ fails }')).body.errors).toHaveLength(1);
      runs.push(fails.length);
    }
    expect(runs.filter((count) => count === 2)).toHaveLength(1);
    expect(runs.filter((count) => count === 1)).toHaveLength(29);
  });
});

describe('a body parser before the listener', () => {
  it('Yoga handles a body that a parser has read', async () => {
    const { url } = await listen((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => {
        Object.assign(req, { body: JSON.parse(Buffer.concat(chunks).toString()) });
        bandha.listener(req, res);
      });
    });
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
  });
});

describe('the request in the context', () => {
  it('the request in the context is created when a resolver reads it', async () => {
    const { url, port } = await listen(bandha.listener);
    requestUrls.length = 0;
    const { body } = await sendOperation(url, '{ agent }', { headers: { 'user-agent': 'a browser' } });
    expect(body).toEqual({ data: { agent: 'a browser' } });
    expect(requestUrls).toEqual([`http://127.0.0.1:${port}/graphql`]);
  });

  it('a resolver can replace the request in the context', async () => {
    const { url } = await listen(bandha.listener);
    expect((await sendOperation(url, '{ replaces }')).body).toEqual({ data: { replaces: 'replaced' } });
  });

  it('the signal is aborted if the client disconnected before it was read', async () => {
    const { port } = await listen(bandha.listener);
    const going = httpRequest({
      port,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    going.on('error', () => {});
    going.end(JSON.stringify({ query: '{ outlives }' }));
    const { res, readSignal } = await arrived.promise;
    going.destroy();
    await once(res, 'close');
    expect(readSignal().aborted).toBe(true);
  });
});

describe('clients that misbehave', () => {
  it('a client that disconnects during its body leaves nothing behind', async () => {
    const { port, url } = await listen(bandha.listener);
    const bytes = request(
      { headers: { 'Content-Type': 'application/json', 'Content-Length': '500' } },
      '{"query":',
    );
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    socket.destroy();
    await once(socket, 'close');
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
  });

  it('a client that disconnects early gets no response and disturbs no other', async () => {
    const { port, url } = await listen(bandha.listener);
    const body = JSON.stringify({ query: '{ waits }' });
    const going = httpRequest({
      port,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    going.on('error', () => {});
    going.end(body, () => going.destroy());
    await new Promise((resolve) => going.once('close', resolve));
    expect((await sendOperation(url, '{ waits }')).body).toEqual({ data: { waits: 'waited' } });
  });

  it('a client that writes byte by byte gets a response', async () => {
    const { port } = await listen(bandha.listener);
    const bytes = request(
      { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } },
      JSON.stringify({ query: SECURE }),
    );
    const response = parseResponse(
      await sendBytes(
        port,
        Array.from(bytes, (byte) => Buffer.from([byte])),
      ),
    );
    expect(JSON.parse(response.body)).toEqual(EXPECTED);
  });

  it('a client that never reads delays no other', async () => {
    const { port, url } = await listen(bandha.listener);
    const socket = connect(port, '127.0.0.1').pause();
    await once(socket, 'connect');
    const one = request(
      { headers: { 'Content-Type': 'application/json', Connection: 'keep-alive' } },
      JSON.stringify({ query: '{ viewer { id } }' }),
    );
    for (let i = 0; i < 2_000; i += 1) socket.write(one);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
    socket.destroy();
  });
});

describe('many clients', () => {
  it('two thousand idle connections delay no request', async () => {
    const { port, url } = await listen(bandha.listener);
    const idle = await openIdleConnections(port, 2_000);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(EXPECTED);
    idle.close();
  });

  it('clients that misbehave leave nothing behind and delay no other', async () => {
    const rejections: unknown[] = [];
    const recordRejection = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', recordRejection);
    const server = createServer(bandha.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const clients = startBadClients(port);
    for (let i = 0; i < 300; i += 1) {
      expect((await sendOperation(`http://127.0.0.1:${port}`, SECURE, { token })).body).toEqual(EXPECTED);
    }
    expect(await clients.stop()).toBeGreaterThan(0);
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    await closed; // closes when the last client has disconnected
    process.off('unhandledRejection', recordRejection);
    expect(rejections).toEqual([]);
  });
});

describe('prepared operations', () => {
  const reads: string[] = [];
  const createOperations = () => {
    const { parse, validate, schema } = bandha.yoga.getEnveloped({ request: { method: 'POST' }, params: {} });
    reads.length = 0;
    const read = (text: string) => {
      reads.push(text);
      return parse(text);
    };
    const readerOf = () => ({ schema, validate, parse: read });
    return createPreparedOperations({
      getEnveloped: readerOf,
      guard: getServerParts(bandha).guard,
      findExceededLimit: () => undefined,
      compileFor: undefined,
    });
  };

  it('an operation is prepared once per text', () => {
    const operations = createOperations();
    for (let i = 0; i < 10; i += 1)
      expect(operations.get(SECURE, undefined)?.operation.operation).toBe('query');
    expect(reads).toEqual([SECURE]);
  });

  it('an operation is found by exactly its text and name', () => {
    const operations = createOperations();
    const text = 'query Op { viewer { id } }';
    expect(operations.get(text, 'Op')?.operationName).toBe('Op');
    for (const other of [`\0${2} Op${text}`, `Op${text}`, JSON.stringify(['Op', text])]) {
      expect(operations.get(other, undefined)).toBeUndefined();
    }
    expect(operations.get(text.slice(1), 'Opq')).toBeUndefined();
    expect(operations.get(text, 'Op')?.operationName).toBe('Op');
    expect(operations.get(text, undefined)?.operationName).toBeUndefined();
  });

  it('new texts do not evict an operation that was sent twice', () => {
    const operations = createOperations();
    operations.get(SECURE, undefined);
    operations.get(SECURE, undefined);
    for (let i = 0; i < 5_000; i += 1) operations.get(`{ a${i}: viewer { id } }`, undefined);
    reads.length = 0;
    operations.get(SECURE, undefined);
    expect(reads).toEqual([]);
  });

  it('invalid, incremental and subscription operations go to the Yoga handler', () => {
    const operations = createOperations();
    for (const text of [
      '{ unknown }',
      '{ secureData {',
      '{ secureData { ...@defer { message } } }',
      'subscription { x }',
      `{ viewer { id } } # ${'x'.repeat(20_000)}`,
    ]) {
      expect(operations.get(text, undefined) === undefined, text.slice(0, 50)).toBe(true);
    }
    expect(operations.get(SECURE, 'Nobody')).toBeUndefined();
  });
});
