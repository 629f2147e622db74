// Sends requests with an invalid Host, target or path as bytes to every listener.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bandha, createListener } from '../../../src/bandha.ts';
import {
  createOwnYoga,
  createTestBandha,
  LISTENERS,
  type Listening,
  listen,
} from '../../support/own-yoga.ts';
import { parseResponse, type RawResponse, request, sendBytes } from '../../support/raw-request.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const QUERY = JSON.stringify({ query: '{ viewer { id } }' });
const PATHS = [
  '/graphql',
  '/',
  '/graphiql/requirements.json',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/.well-known/jwks.json',
  '/nope',
];

let bandha: Bandha;
const open: Record<string, Listening> = {};
beforeAll(async () => {
  bandha = await createTestBandha();
  for (const [name, listenerOf] of Object.entries(LISTENERS)) open[name] = await listen(listenerOf(bandha));
});
afterAll(async () => {
  for (const { close } of Object.values(open)) close();
  await bandha.close();
});

async function send(way: string, bytes: string | Buffer): Promise<RawResponse> {
  return parseResponse(await sendBytes(open[way]?.port ?? 0, [bytes]));
}

function expectBadRequest({ statusLine, body }: RawResponse): void {
  expect(statusLine, body).toBe('HTTP/1.1 400 Bad Request');
  expect(JSON.parse(body)).toEqual({
    errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST' } }],
  });
  expect(body).not.toMatch(/\bat |node_modules|\.[jt]s\b/);
}

describe.each(Object.keys(LISTENERS))('%s', (way) => {
  it.each([
    'a b',
    'a\tb',
    'localhost:port',
    'localhost:99999',
    'a/b',
    'user:password@localhost',
    '[::1',
    '[::z]',
    '1.2.3.4.5',
    '%00',
    '<script>',
    'a,b',
  ])('rejects every path with 400 if Host is %j', async (host) => {
    for (const path of PATHS) {
      const html = await send(
        way,
        request({ method: 'GET', path, headers: { Host: host, Accept: 'text/html' } }),
      );
      expectBadRequest(html);
      expectBadRequest(await send(way, request({ method: 'GET', path, headers: { Host: host } })));
    }
    const headers = { ...JSON_TYPE, Host: host };
    expectBadRequest(await send(way, request({ headers }, QUERY)));
    expectBadRequest(await send(way, request({ path: '/graphql?', headers }, QUERY)));
  });

  it('MUST reject a second Host with 400 (RFC 9112, section 3.2)', async () => {
    for (const path of ['/graphql', '/graphql?', '/health/live']) {
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n`;
      const type = `Content-Type: application/json\r\nContent-Length: ${QUERY.length}\r\n`;
      expectBadRequest(await send(way, `${head}${type}\r\n${QUERY}`));
    }
  });

  it.each([
    'localhost',
    'LOCALHOST:80',
    '127.0.0.1:4000',
    '[::1]:4000',
    'a_b.example',
    'b\u00fccher.example',
    '',
  ])('accepts the Host %j', async (host) => {
    const { statusLine } = await send(way, request({ headers: { ...JSON_TYPE, Host: host } }, QUERY));
    expect(statusLine).toBe('HTTP/1.1 200 OK');
  });

  it.each([
    'http:///graphql',
    'http://user@localhost/graphql',
    'http://a,b/graphql',
    'http://localhost:port/graphql',
    'http://localhost//graphql',
    'http://localhost/graphql%',
    'ftp://localhost/graphql',
    '*',
    '//',
    '//graphql',
    '//evil.example/graphql',
    '/%',
    '/%zz',
    '/graphql%',
    '/%ff%fe',
    '/health/live%',
    '/graphiql/%c0%ae.js',
    '/.well-known/jwks.json%2',
  ])('rejects the request target %s with 400', async (path) => {
    for (const method of ['GET', 'POST']) {
      const headers = { ...JSON_TYPE, Accept: method === 'GET' ? 'text/html' : '*/*' };
      expectBadRequest(await send(way, request({ method, path, headers }, method === 'POST' ? QUERY : '')));
    }
  });

  it.each([
    ['http://localhost/graphql', 'POST', 200],
    ['http://localhost/graphql?', 'POST', 200],
    ['HTTPS://other.example:8443/graphql', 'POST', 200],
    ['http://localhost/health/live', 'GET', 200],
    ['http://localhost/.well-known/jwks.json', 'GET', 200],
    ['http://localhost/nope', 'GET', 404],
    ['http://localhost/x/graphql', 'POST', 404],
  ])('MUST accept the absolute form %s (RFC 9112, section 3.2.2)', async (path, method, status) => {
    const bytes = request({ method, path, headers: JSON_TYPE }, method === 'POST' ? QUERY : '');
    const { statusLine, body } = await send(way, bytes);
    expect(statusLine, body).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it.each([
    '/admin/graphql',
    '/x/y/graphql',
    '/graphql/x',
    '/graphql/x/',
    '/xgraphql',
    '/Graphql',
    '/graphql%20',
    '/x?y=/graphql',
    '/x?/graphql/',
    '/graphql;/graphql',
  ])('rejects an operation at %s with 404', async (path) => {
    const posted = await send(way, request({ path, headers: JSON_TYPE }, QUERY));
    expect(posted.statusLine).toBe('HTTP/1.1 404 Not Found');
    const separator = path.includes('?') ? '&' : '?';
    const got = `${path}${separator}query=${encodeURIComponent('{ viewer { id } }')}`;
    expect((await send(way, request({ method: 'GET', path: got }))).statusLine).toBe(
      'HTTP/1.1 404 Not Found',
    );
  });

  it.each(['/graphql', '/graphql/', '/graphql?', '/graphql?a=/x', '/graphql?a=%zz'])(
    'runs an operation at %s',
    async (path) => {
      const { statusLine } = await send(way, request({ path, headers: JSON_TYPE }, QUERY));
      expect(statusLine).toBe('HTTP/1.1 200 OK');
    },
  );

  it('ignores forwarding headers that are not host names', async () => {
    const forwarded = { 'X-Forwarded-Host': 'a b', 'X-Forwarded-Proto': ':', Forwarded: 'host="a b"' };
    const headers = { ...JSON_TYPE, ...forwarded, 'X-Forwarded-For': '\t', 'X-Forwarded-Prefix': '//evil' };
    for (const path of ['/graphql', '/graphql?']) {
      expect((await send(way, request({ path, headers }, QUERY))).statusLine).toBe('HTTP/1.1 200 OK');
    }
  });
});

describe('a Yoga server with another endpoint', () => {
  it.each([
    ['/api', ['/api', '/api/'], ['/graphql', '/x/api', '/api/x', '/']],
    ['/v1/graphql', ['/v1/graphql'], ['/graphql', '/v2/v1/graphql']],
    ['/', ['/'], ['/graphql', '/x/']],
    ['/q/:id', ['/q/1'], ['/q', '/q/1/2', '/x/q/:id']],
  ])('serves operations at %s alone', async (graphqlEndpoint, served, missing) => {
    const server = await listen(createListener(createOwnYoga(bandha, { graphqlEndpoint }), bandha));
    const statusOf = async (path: string) =>
      parseResponse(await sendBytes(server.port, [request({ path, headers: JSON_TYPE }, QUERY)])).statusLine;
    for (const path of served) expect([path, await statusOf(path)]).toEqual([path, 'HTTP/1.1 200 OK']);
    for (const path of missing)
      expect([path, await statusOf(path)]).toEqual([path, 'HTTP/1.1 404 Not Found']);
    server.close();
  });
});

it('paths and queries that end with /health are not the health check', async () => {
  const port = open['bandha.listener']?.port ?? 0;
  const get = async (path: string) =>
    parseResponse(await sendBytes(port, [request({ method: 'GET', path })]));
  expect((await get('/health')).statusLine).toBe('HTTP/1.1 200 OK');
  expect((await get('/admin/health')).statusLine).toBe('HTTP/1.1 404 Not Found');
  expect((await get('/graphql?query={__typename}&a=/health')).body).toBe('{"data":{"__typename":"Query"}}');
});

it.each([
  ['a Host with a space', 'GET /graphql HTTP/1.1', 'a b'],
  ['a Host with a port that is none', 'GET /graphql HTTP/1.1', 'localhost:99999'],
  ['a Host with an open bracket', 'GET /health/live HTTP/1.1', '[::1'],
  ['a Host that looks like an address', 'POST /graphql HTTP/1.1', '1.2.3.4.5'],
  ['two slashes in front', 'GET //%/graphql HTTP/1.1', 'localhost'],
])('a Yoga server without Bandha’s listener rejects %s with 400', async (_, line, host) => {
  const { port, close } = await listen(createOwnYoga(bandha));
  const bytes = `${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  expectBadRequest(parseResponse(await sendBytes(port, [bytes])));
  close();
});

it('a Yoga server without Bandha’s listener responds 404 at other paths', async () => {
  const yoga = createOwnYoga(bandha);
  for (const path of ['/admin/graphql', '/graphql/x']) {
    const response = await yoga.fetch(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: QUERY,
    });
    expect(response.status).toBe(404);
  }
});
