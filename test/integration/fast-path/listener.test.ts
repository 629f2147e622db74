// Which requests the lane takes, from which servers, and what it keeps.
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
import { keepBadCompany, openIdleConnections } from '../../support/bad-clients.ts';
import { parseResponse, request, sendBytes } from '../../support/raw-request.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { getServerParts } from '../../support/server-parts.ts';
import { GOOD_PASSWORD, sendOperation, TEST_SECRET } from '../../support/test-server.ts';

const secureData = createSecureDataResolvers();
let bandha: Bandha;
let token: string;
const logged: { msg: string; hooks?: string[] }[] = [];
const log: Logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
const looked: string[] = [];
const fails: string[] = [];
const arrived = Promise.withResolvers<{ res: ServerResponse; look: () => AbortSignal }>();

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
          looked.push(context.request.url);
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
          arrived.resolve({ res: context.res, look: () => context.request.signal });
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
const ANSWER = { data: { secureData: { message: 'Secure data access granted' } } };

/** Counts the requests that come through Yoga. */
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

describe('an app’s own Yoga server', () => {
  const own = (more: Plugin[] = [], options: object = {}) =>
    createYoga({
      schema: bandha.schema,
      plugins: [...bandha.plugins, ...more],
      logging: false,
      ...options,
    });

  it('gets the lane by createListener', async () => {
    logged.length = 0;
    const { url } = await listen(createListener(own(), bandha));
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
    expect((await sendOperation(url, SECURE)).status).toBe(401);
    expect(logged).toEqual([]);
  });

  it('keeps the lane shut where a plugin’s hooks would be left out, and says so once', async () => {
    logged.length = 0;
    const { plugin, count } = counting();
    const { url } = await listen(createListener(own([plugin]), bandha));
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
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
  ])('keeps it shut for %s', async (hook, plugins, options) => {
    logged.length = 0;
    createListener(own(plugins, options), bandha);
    expect(logged.map(({ hooks }) => hooks)).toEqual([[hook]]);
  });

  it('is asked itself about an Origin, unless told how it answers one', async () => {
    const { url } = await listen(createListener(own(), bandha));
    const { headers } = await sendOperation(url, SECURE, {
      token,
      headers: { origin: 'https://app.example.com' },
    });
    expect(headers.get('access-control-allow-credentials')).toBe('true'); // as Yoga does by default
  });
});

describe('a Yoga server whose plugins look like Bandha’s', () => {
  // envelop's plugins are Yoga's but for the type of their context
  const shut = (plugins: Plugin[]) => {
    logged.length = 0;
    createListener(createYoga({ schema: bandha.schema, plugins, logging: false }), bandha);
    return logged.length === 1;
  };

  it('keeps the lane shut for one more of a kind that Bandha has too', () => {
    expect(shut([...bandha.plugins])).toBe(false);
    expect(
      shut([...bandha.plugins, useMaskedErrors({ maskError: () => new Error('hidden') }) as Plugin]),
    ).toBe(true);
    expect(shut([...bandha.plugins, useEngine({ execute: () => ({ data: null }) }) as Plugin])).toBe(true);
  });

  it('keeps it shut where Bandha’s own are missing; those of another server are an error', async () => {
    const another = await createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET });
    expect(() => shut(another.plugins)).toThrow('must be the same in both guards of a server');
    expect(shut(bandha.plugins.slice(1))).toBe(true);
    await another.close();
  });
});

describe('a query whose compiled run meets an error', () => {
  it('runs its resolvers once more that once, and then once as ever', async () => {
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
  it('has read the body, so Yoga takes it from there', async () => {
    const { url } = await listen((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => {
        Object.assign(req, { body: JSON.parse(Buffer.concat(chunks).toString()) });
        bandha.listener(req, res);
      });
    });
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
  });
});

describe('what resolvers find', () => {
  it('is a request, made where one looks', async () => {
    const { url, port } = await listen(bandha.listener);
    looked.length = 0;
    const { body } = await sendOperation(url, '{ agent }', { headers: { 'user-agent': 'a browser' } });
    expect(body).toEqual({ data: { agent: 'a browser' } });
    expect(looked).toEqual([`http://127.0.0.1:${port}/graphql`]);
  });

  it('can be put in the place of that request', async () => {
    const { url } = await listen(bandha.listener);
    expect((await sendOperation(url, '{ replaces }')).body).toEqual({ data: { replaces: 'replaced' } });
  });

  it('knows of a client that has gone before anybody looks', async () => {
    const { port } = await listen(bandha.listener);
    const going = httpRequest({
      port,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    going.on('error', () => {});
    going.end(JSON.stringify({ query: '{ outlives }' }));
    const { res, look } = await arrived.promise;
    going.destroy();
    await once(res, 'close');
    expect(look().aborted).toBe(true);
  });
});

describe('clients that misbehave', () => {
  it('one that goes away in the middle of its body leaves nothing behind', async () => {
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
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
  });

  it('one that goes away before its answer is not answered, and nobody else notices', async () => {
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

  it('one that writes byte by byte is answered all the same', async () => {
    const { port } = await listen(bandha.listener);
    const bytes = request(
      { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } },
      JSON.stringify({ query: SECURE }),
    );
    const answer = parseResponse(
      await sendBytes(
        port,
        Array.from(bytes, (byte) => Buffer.from([byte])),
      ),
    );
    expect(JSON.parse(answer.body)).toEqual(ANSWER);
  });

  it('one that never reads keeps nobody waiting', async () => {
    const { port, url } = await listen(bandha.listener);
    const socket = connect(port, '127.0.0.1').pause();
    await once(socket, 'connect');
    const one = request(
      { headers: { 'Content-Type': 'application/json', Connection: 'keep-alive' } },
      JSON.stringify({ query: '{ viewer { id } }' }),
    );
    for (let i = 0; i < 2_000; i += 1) socket.write(one);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
    socket.destroy();
  });
});

describe('a crowd', () => {
  it('of two thousand idle connections keeps nobody waiting', async () => {
    const { port, url } = await listen(bandha.listener);
    const idle = await openIdleConnections(port, 2_000);
    expect((await sendOperation(url, SECURE, { token })).body).toEqual(ANSWER);
    idle.close();
  });

  it('that misbehaves leaves nothing behind, while everybody else is answered', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    const server = createServer(bandha.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const company = keepBadCompany(port);
    for (let i = 0; i < 300; i += 1) {
      expect((await sendOperation(`http://127.0.0.1:${port}`, SECURE, { token })).body).toEqual(ANSWER);
    }
    expect(await company.leave()).toBeGreaterThan(0);
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    await closed; // which it is when nobody is there any more
    process.off('unhandledRejection', note);
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

  it('are read once for each text', () => {
    const operations = createOperations();
    for (let i = 0; i < 10; i += 1)
      expect(operations.get(SECURE, undefined)?.operation.operation).toBe('query');
    expect(reads).toEqual([SECURE]);
  });

  it('are found by text and name, which no other text or name passes for', () => {
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

  it('are not pushed out by ever-new texts', () => {
    const operations = createOperations();
    operations.get(SECURE, undefined);
    operations.get(SECURE, undefined);
    for (let i = 0; i < 5_000; i += 1) operations.get(`{ a${i}: viewer { id } }`, undefined);
    reads.length = 0;
    operations.get(SECURE, undefined);
    expect(reads).toEqual([]);
  });

  it('are for the other door where they are wrong, come in parts, or go on for ever', () => {
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
