// Checks that the fast path and Yoga send the same responses, byte for byte.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request, sendBytes } from '../../support/raw-request.ts';
import { QUERIES, type ServerPair, startServerPair } from './parity-corpus.ts';

let token: string;
let revoked: string;
let pair: ServerPair;

beforeAll(async () => {
  pair = await startServerPair();
  ({ token, revoked } = pair);
});
afterAll(() => pair.close());

const sendToBoth = (bytes: Buffer) => pair.sendToBoth(bytes);
const json = (params: unknown) => JSON.stringify(params);
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('every query, sent by every caller,', () => {
  it.each([
    ['anonymous', () => ({})],
    ['signed in', () => ({ Authorization: `Bearer ${token}` })],
    ['with a revoked session', () => ({ authorization: `bearer ${revoked}` })],
    ['with a forged token', () => ({ Authorization: `Bearer ${token.slice(0, -4)}AAAA` })],
    ['with text instead of a token', () => ({ Authorization: 'Bearer   x.y ' })],
  ])('gets the same responses: %s', async (_, credentials) => {
    for (const query of QUERIES) {
      for (const accept of ['*/*', 'application/graphql-response+json']) {
        const bytes = request(
          { headers: { ...JSON_TYPE, Accept: accept, ...credentials() } },
          json({ query }),
        );
        const { fastPath, yoga } = await sendToBoth(bytes);
        expect(fastPath, query).toEqual(yoga);
      }
    }
  });

  it('gets the same responses after it was compiled', async () => {
    const headers = { ...JSON_TYPE, Authorization: `Bearer ${token}` };
    for (const query of QUERIES.filter((one) => !one.startsWith('mutation'))) {
      const bytes = request({ headers }, json({ query }));
      for (let run = 0; run < 25; run += 1) await sendBytes(pair.ports.fastPath, [bytes]);
      const { fastPath, yoga } = await sendToBoth(bytes);
      expect(fastPath, query).toEqual(yoga);
    }
  });
});

const SECURE = json({ query: '{ secureData { message } }' });
const HELLO = json({ query: 'query H($name: String, $n: [Int!]) { hello(name: $name) }' });

describe('requests with', () => {
  it.each<[string, Record<string, string>]>([
    ['no Accept', {}],
    ...[
      'application/json',
      'application/graphql-response+json,application/json;q=0.9',
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      'application/json, text/plain, */*',
      'application/json, multipart/mixed',
      'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'text/plain',
      'image/*',
      'text/event-stream',
      'multipart/mixed',
      'application/json; charset=utf-16',
      'APPLICATION/JSON',
      ', ,',
      'application/*',
    ].map((accept): [string, Record<string, string>] => [`Accept: ${accept}`, { Accept: accept }]),
    ['a charset', { 'Content-Type': 'application/json; charset=utf-8' }],
    ['a charset without a space', { 'Content-Type': 'application/json;charset=UTF-8' }],
    ['another charset', { 'Content-Type': 'application/json; charset=latin1' }],
    ['another JSON type', { 'Content-Type': 'application/graphql+json' }],
    ['two content types', { 'Content-Type': 'application/json, application/json' }],
    ['plain text', { 'Content-Type': 'text/plain' }],
    ['no content type', { 'Content-Type': 'ABSENT' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['a boundary', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['the type graphql', { 'Content-Type': 'application/graphql' }],
    ['an Origin', { Origin: 'https://app.example.com' }],
    ['the Origin null', { Origin: 'null' }],
    ['an empty Origin', { Origin: '' }],
    ['a Host with a name and a password', { Host: 'u:p@localhost' }],
    ['an empty Host', { Host: '' }],
    [
      'an Origin with the headers of a preflight',
      {
        Origin: 'https://app.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    ],
    ['a cookie', { Cookie: 'a=b' }],
    ['Basic credentials', { Authorization: 'Basic YTpi' }],
    ['an empty Authorization', { Authorization: '' }],
    ['the scheme alone', { Authorization: 'Bearer' }],
    ['the encoding identity', { 'Content-Encoding': 'identity' }],
    ['an unknown encoding', { 'Content-Encoding': 'rot13' }],
    ['an expectation', { Expect: '100-continue' }],
    ['another expectation', { Expect: 'the-unexpected' }],
    ['a length that is not a number', { 'Content-Length': 'x' }],
    ['a negative length', { 'Content-Length': '-1' }],
    ['a length over the limit', { 'Content-Length': '100001' }],
    ['a length and chunks', { 'Transfer-Encoding': 'chunked' }],
    ['keep-alive', { Connection: 'close, TE' }],
  ])('%s get the same responses', async (_, headers) => {
    const { fastPath, yoga } = await sendToBoth(request({ headers: { ...JSON_TYPE, ...headers } }, SECURE));
    expect(fastPath).toEqual(yoga);
  });
});

describe('a request for', () => {
  const paths = [
    '/graphql',
    '/graphql/',
    '/graphql?',
    '/graphql?query=%7B__typename%7D',
    '/GraphQL',
    '/',
    '/health',
    '/health/live',
    '/.well-known/jwks.json',
    '//graphql',
    '/graphql%20',
    'http://localhost/graphql',
    '*',
  ];
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH'];
  it.each(methods.flatMap((method) => paths.map((path) => [method, path])))(
    '%s %s gets the same response',
    async (method, path) => {
      const body = method === 'POST' ? SECURE : '';
      const { fastPath, yoga } = await sendToBoth(request({ method, path, headers: JSON_TYPE }, body));
      expect(fastPath).toEqual(yoga);
    },
  );
});

describe('a body with', () => {
  const deep = `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`;
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"query"'],
    ['an empty object', '{}'],
    ['an empty list', '[]'],
    ['a batch', `[${SECURE}]`],
    ['half of it', SECURE.slice(0, -5)],
    ['more than one', `${SECURE}${SECURE}`],
    ['white space around', `\n\t ${SECURE}\r\n `],
    ['a byte order mark', `\ufeff${SECURE}`],
    ['UTF-16', Buffer.from(SECURE, 'utf16le')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    [
      'bytes that are no UTF-8 in a name',
      Buffer.concat([
        Buffer.from('{"query":"{ hello(name: \\"'),
        Buffer.from([0xff, 0xc3]),
        Buffer.from('\\") }"}'),
      ]),
    ],
    ['compressed', gzipSync(SECURE)],
    ['a query that is null', json({ query: null })],
    ['a query that is a number', json({ query: 1 })],
    ['a query that is a list', json({ query: ['{ hello }'] })],
    ['an unknown parameter', json({ query: '{ hello }', more: 1 })],
    ['an unknown parameter that is null', json({ query: '{ hello }', more: null })],
    ['extensions', json({ query: '{ hello }', extensions: { a: 1 } })],
    ['extensions that are null', json({ query: '{ hello }', extensions: null })],
    ['extensions that are a text', json({ query: '{ hello }', extensions: 'x' })],
    ['a persisted query', json({ extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } })],
    ['__proto__', '{"query":"{ hello }","__proto__":{"a":1}}'],
    ['a constructor', '{"query":"{ hello }","constructor":1}'],
    ['the same key twice', '{"query":"{ fails }","query":"{ hello }"}'],
    ['an operation name that is null', json({ query: '{ hello }', operationName: null })],
    ['an operation name that is empty', json({ query: '{ hello }', operationName: '' })],
    ['an operation name nobody has', json({ query: '{ hello }', operationName: 'Nobody' })],
    ['an operation name that is a number', json({ query: '{ hello }', operationName: 1 })],
    [
      'one operation of two',
      json({ query: 'query A { hello } query B { secureData { message } }', operationName: 'A' }),
    ],
    [
      'the other one',
      json({ query: 'query A { hello } query B { secureData { message } }', operationName: 'B' }),
    ],
    ['a text that begins with a word', json({ query: 'mutation\n{ touch }' })],
    ['that word as the name of an operation', json({ query: '{ touch }', operationName: 'mutation' })],
    ['an operation name with a line', json({ query: '{ hello }', operationName: 'a\nb' })],
    [
      'variables',
      json({ query: 'query ($name: String) { hello(name: $name) }', variables: { name: 'Ada' } }),
    ],
    ['variables that are not declared', json({ query: '{ hello }', variables: { a: { b: [1] } } })],
    ['variables that are null', json({ query: '{ hello }', variables: null })],
    ['variables that are a list', json({ query: '{ hello }', variables: [] })],
    ['variables that are a text', json({ query: '{ hello }', variables: '{}' })],
    ['a variable that is missing', json({ query: 'query ($n: [Int!]!) { add(numbers: $n) }' })],
    [
      'a variable of another type',
      json({ query: 'query ($n: [Int!]!) { add(numbers: $n) }', variables: { n: ['x'] } }),
    ],
    [
      'a variable that does not fit, for nobody',
      json({ query: 'query ($m: Int!) { admins }', variables: { m: 'x' } }),
    ],
    [
      'a variable that becomes a list',
      json({ query: 'query ($n: [Int!]!) { add(numbers: $n) }', variables: { n: 4 } }),
    ],
    ['an enum', json({ query: 'query ($c: Choice) { pick(choice: $c) }', variables: { c: 'TWO' } })],
    [
      'an enum value nobody knows',
      json({ query: 'query ($c: Choice) { pick(choice: $c) }', variables: { c: 'SIX' } }),
    ],
    [
      'a number too large',
      json({ query: 'query ($n: [Int!]!) { add(numbers: $n) }', variables: { n: [3_000_000_000] } }),
    ],
    ['deep variables', `{"query":"{ hello }","variables":${deep}}`],
    [
      'skipped what is protected',
      json({
        query: 'query ($s: Boolean!) { hello secureData @skip(if: $s) { message } }',
        variables: { s: true },
      }),
    ],
    [
      'not skipped',
      json({
        query: 'query ($s: Boolean!) { hello secureData @skip(if: $s) { message } }',
        variables: { s: false },
      }),
    ],
    ['a long text', json({ query: `{ hello(name: "${'x'.repeat(30_000)}") }` })],
    ['one byte below the limit', padded(99_999)],
    ['as much as may be', padded(100_000)],
    ['one byte too many', padded(100_001)],
  ])('%s gets the same response', async (_, body) => {
    const { fastPath, yoga } = await sendToBoth(request({ headers: JSON_TYPE }, body));
    expect(fastPath).toEqual(yoga);
  });

  /** Creates a body of a given length, in bytes. */
  function padded(bytes: number): string {
    const bare = json({ query: '{ hello }', variables: { pad: '' } });
    return json({ query: '{ hello }', variables: { pad: 'x'.repeat(bytes - bare.length) } });
  }

  it('a gzip encoding gets the same response', async () => {
    const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
    const { fastPath, yoga } = await sendToBoth(request({ headers }, gzipSync(SECURE)));
    expect(fastPath).toEqual(yoga);
  });
});

describe('bytes on the wire with', () => {
  const head = (more: string) =>
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${more}\r\n`;
  const chunked = (...parts: string[]) =>
    [...parts, ''].map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`).join('');

  it.each<[string, string]>([
    [
      'in chunks',
      `${head('Connection: close\r\nTransfer-Encoding: chunked\r\n')}${chunked(SECURE.slice(0, 9), SECURE.slice(9))}`,
    ],
    ['in chunks that are broken', `${head('Connection: close\r\nTransfer-Encoding: chunked\r\n')}zz\r\n`],
    ['a version nobody speaks', 'POST /graphql HTTP/3.7\r\n\r\n'],
    [
      'HTTP/1.0',
      `POST /graphql HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${SECURE.length}\r\n\r\n${SECURE}`,
    ],
    [
      'without a host',
      `POST /graphql HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${SECURE.length}\r\n\r\n${SECURE}`,
    ],
    [
      'three in a row, answered in their order',
      [SECURE, HELLO, SECURE]
        .map(
          (body, i) =>
            `${head(`Content-Length: ${body.length}\r\n${i === 2 ? 'Connection: close\r\n' : ''}`)}${body}`,
        )
        .join(''),
    ],
    [
      'twice the same length',
      `${head(`Connection: close\r\nContent-Length: ${SECURE.length}\r\nContent-Length: ${SECURE.length}\r\n`)}${SECURE}`,
    ],
    [
      'two lengths',
      `${head(`Connection: close\r\nContent-Length: ${SECURE.length}\r\nContent-Length: 3\r\n`)}${SECURE}`,
    ],
    [
      'two tokens',
      `${head(`Connection: close\r\nAuthorization: Bearer a.b.c\r\nAuthorization: Basic x\r\nContent-Length: ${SECURE.length}\r\n`)}${SECURE}`,
    ],
  ])('%s get the same response', async (_, text) => {
    const [fastPath = '', yoga = ''] = await Promise.all(
      [pair.ports.fastPath, pair.ports.yoga].map((port) => sendBytes(port, [text])),
    );
    const without = (response: string) => response.replaceAll(/^Date: .*\r\n/gm, '');
    expect(without(fastPath)).toBe(without(yoga));
  });
});

describe('generated requests', () => {
  const anything = fc.oneof(
    fc.constantFrom(...QUERIES),
    fc.json(),
    fc.string(),
    fc.constantFrom(null, 1, true, [], {}, { name: 'Ada' }, { n: 1 }),
  );
  const param = fc.record(
    {
      query: anything,
      variables: anything,
      operationName: fc.oneof(fc.constantFrom('A', 'Q', null, ''), fc.string()),
      extensions: fc.constantFrom(null, {}, 'x'),
    },
    { requiredKeys: [] },
  );
  const sent = fc.record({
    body: fc.oneof(
      { weight: 5, arbitrary: param.map((params) => JSON.stringify(params)) },
      { weight: 1, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.json() },
    ),
    accept: fc.constantFrom('*/*', 'application/json', 'application/graphql-response+json', 'text/html'),
    type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain'),
    signedIn: fc.boolean(),
  });

  it('generated requests get the same responses', async () => {
    await fc.assert(
      fc.asyncProperty(sent, async ({ body, accept, type, signedIn }) => {
        const headers = {
          'Content-Type': type,
          Accept: accept,
          ...(signedIn && { Authorization: `Bearer ${token}` }),
        };
        const { fastPath, yoga } = await sendToBoth(request({ headers }, body));
        // Mutations of accounts are sent once.
        fc.pre(!/logout|register|login/.test(body));
        expect(fastPath).toEqual(yoga);
      }),
      { numRuns: 400 },
    );
  });
});
