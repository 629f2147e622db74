// Checks that invalid input gets a clear error and changes nothing.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  GOOD_PASSWORD,
  type GraphQLResponse,
  register as makeAccount,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const MAX_BODY_BYTES = 100_000;
const REGISTER =
  'mutation ($email: String!, $password: String!) { register(email: $email, password: $password) { tokenType } }';
const MUTATION = `mutation { register(email: "made@example.com", password: "${GOOD_PASSWORD}") { tokenType } }`;
const VIEWER = '{ viewer { id } }';
const SECRET = 'hunter2-is-my-password';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    typeDefs: 'extend type Query { lengthOf(text: String!): Int }',
    resolvers: { Query: { lengthOf: (_: unknown, { text }: { text: string }) => text.length } },
  });
});
afterAll(() => server.close());

async function post(body: BodyInit, headers: Record<string, string> = {}): Promise<GraphQLResponse> {
  // Node's fetch requires `duplex` for a stream, which it sends in chunks. The types of the DOM lack it.
  const init: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    duplex: 'half',
  };
  return read(await fetch(`${server.url}/graphql`, init));
}
async function get(parameters: Record<string, string>): Promise<GraphQLResponse> {
  return read(await fetch(`${server.url}/graphql?${new URLSearchParams(parameters)}`));
}
async function read(response: Response): Promise<GraphQLResponse> {
  const body = await response.text();
  return { status: response.status, headers: response.headers, body: body && JSON.parse(body) };
}
function register(email: string, password: string): Promise<GraphQLResponse> {
  return server.send(REGISTER, { variables: { email, password } });
}
function logIn(email: string, password: string): Promise<GraphQLResponse> {
  return server.send(REGISTER.replace('register', 'login'), { variables: { email, password } });
}
function expectRejected({ status, body }: GraphQLResponse, expectedStatus: number, code: string): void {
  expect({ status, code: body.errors?.[0].extensions?.code }, JSON.stringify(body)).toEqual({
    status: expectedStatus,
    code,
  });
  expect(body).not.toHaveProperty('data');
}

describe('a malformed request', () => {
  let before: unknown;
  beforeEach(async () => {
    before = await server.bandha.store.listUsers();
  });
  afterEach(async () => {
    expect(await server.bandha.store.listUsers()).toEqual(before);
  });

  it.each([
    ['an unfinished string', `{"query":"${SECRET}`],
    ['an unfinished object', `{"query":${JSON.stringify(MUTATION)},"password":"${SECRET}"`],
    ['text that is not JSON', SECRET],
    ['JSON followed by other text', `{"query":${JSON.stringify(MUTATION)}} ${SECRET}`],
  ])('a body with %s is rejected and not quoted', async (_, body) => {
    const response = await post(body);
    expectRejected(response, 400, 'BAD_REQUEST');
    expect(JSON.stringify(response.body)).not.toContain(SECRET.slice(0, 5));
    expect(JSON.stringify(response.body)).not.toContain('register');
  });

  it.each([
    ['no text', ''],
    ['white space', ' \n '],
    ['null', 'null'],
    ['a number', '1'],
    ['a string', '"{ viewer { id } }"'],
    ['a boolean', 'true'],
    ['an empty list', '[]'],
    ['a batch', JSON.stringify([{ query: MUTATION }, { query: VIEWER }])],
    ['no query', '{}'],
    ['a query that is null', '{"query":null}'],
    ['a query that is a number', '{"query":1}'],
    ['a query that is an object', '{"query":{}}'],
    ['variables that are a string', JSON.stringify({ query: MUTATION, variables: 'x' })],
    ['variables that are a list', JSON.stringify({ query: MUTATION, variables: [] })],
    ['extensions that are a string', JSON.stringify({ query: MUTATION, extensions: 'x' })],
    ['an unknown parameter', JSON.stringify({ query: MUTATION, password: SECRET })],
  ])('a body with %s is rejected with 400', async (_, body) => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const response = await post(body, { accept });
      expectRejected(response, 400, 'BAD_REQUEST');
      expect(response.headers.get('content-type')).toContain(accept);
      expect(JSON.stringify(response.body)).not.toContain(SECRET);
    }
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonp', ''])(
    'SHOULD reject the content type %j with 415 (RFC 9110, 15.5.16)',
    async (contentType) => {
      const { status } = await post(JSON.stringify({ query: MUTATION }), { 'content-type': contentType });
      expect(status).toBe(415);
    },
  );

  it.each([
    ['variables', { query: VIEWER, variables: `{"password":"${SECRET}` }],
    ['extensions', { query: VIEWER, extensions: SECRET }],
    ['variables', { query: VIEWER, variables: '[1]' }],
    ['variables', { query: VIEWER, variables: '1' }],
  ])('%s of a GET that are not a JSON object are rejected: %j', async (_, parameters) => {
    const response = await get(parameters);
    expectRejected(response, 400, 'BAD_REQUEST');
    expect(JSON.stringify(response.body)).not.toContain(SECRET.slice(0, 5));
  });

  it('variables of a form that are not JSON are rejected', async () => {
    const form = new URLSearchParams({ query: MUTATION, variables: SECRET });
    const response = await post(`${form}`, { 'content-type': 'application/x-www-form-urlencoded' });
    expectRejected(response, 400, 'BAD_REQUEST');
    expect(JSON.stringify(response.body)).not.toContain(SECRET.slice(0, 5));
  });

  it.each([
    ['alone in its document', { query: MUTATION }],
    ['chosen by name', { query: `query A ${VIEWER} ${MUTATION.replace('{', 'B {')}`, operationName: 'B' }],
  ])('MUST NOT run a mutation %s by GET (GraphQL over HTTP, GET)', async (_, parameters) => {
    const response = await get(parameters);
    expectRejected(response, 405, 'BAD_REQUEST');
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('the length of a body', () => {
  function bodyOf(bytes: number): string {
    const around = JSON.stringify({ query: '{ lengthOf(text: "") }' }).length;
    return JSON.stringify({ query: `{ lengthOf(text: "${'x'.repeat(bytes - around)}") }` });
  }
  const ways: [string, (body: string) => BodyInit][] = [
    ['with Content-Length', (body) => body],
    ['in chunks', (body) => new Blob([body]).stream()],
  ];

  it.each(ways)('a body of 100,000 bytes is accepted %s', async (_, make) => {
    const { status, body } = await post(make(bodyOf(MAX_BODY_BYTES)));
    expect(status).toBe(200);
    expect(body.data.lengthOf).toBeGreaterThan(99_000);
  });

  it.each(ways)('a body of 100,001 bytes is rejected with 413 %s', async (_, make) => {
    expectRejected(await post(make(bodyOf(MAX_BODY_BYTES + 1))), 413, 'REQUEST_ENTITY_TOO_LARGE');
  });

  it.each(ways)('the limit counts bytes instead of characters %s', async (_, make) => {
    const query = `{ lengthOf(text: "${'é'.repeat(60_000)}") }`;
    expectRejected(await post(make(JSON.stringify({ query }))), 413, 'REQUEST_ENTITY_TOO_LARGE');
  });

  const json = JSON.stringify({ query: MUTATION });
  it.each([
    ['shorter than the body', json, [`Content-Length: ${json.length - 10}`], /^HTTP\/1\.1 400 /],
    ['longer than the body', json, [`Content-Length: ${json.length + 10}`], /^(HTTP\/1\.1 400 .*)?$/s],
    ['over the limit', json, ['Content-Length: 99999999999'], /^HTTP\/1\.1 413 .*REQUEST_ENTITY_TOO_LARGE/s],
    ['negative', json, ['Content-Length: -5'], /^HTTP\/1\.1 400 /],
    ['not a number', json, ['Content-Length: 1e2'], /^HTTP\/1\.1 400 /],
    [
      'combined with chunks',
      `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`,
      [`Content-Length: ${json.length}`, 'Transfer-Encoding: chunked'],
      /^HTTP\/1\.1 400 /,
    ],
  ])('a Content-Length that is %s changes nothing', async (_, body, headers, expected) => {
    const before = await server.bandha.store.listUsers();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const head = ['POST /graphql HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Connection: close'];
    socket.end(`${[...head, ...headers].join('\r\n')}\r\n\r\n${body}`);
    expect(await text(socket)).toMatch(expected);
    expect(await server.bandha.store.listUsers()).toEqual(before);
  });
});

describe('an operation that does not match the schema', () => {
  const FAILED = 'GRAPHQL_VALIDATION_FAILED';
  it.each([
    ['a syntax error', 'mutation {', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ nope }', FAILED],
    [
      'an argument of the wrong type',
      'mutation { register(email: 1, password: true) { tokenType } }',
      FAILED,
    ],
    ['a null argument', 'mutation { register(email: null, password: null) { tokenType } }', FAILED],
    ['a missing argument', 'mutation { register(email: "made@example.com") { tokenType } }', FAILED],
    ['an unknown argument', MUTATION.replace('email:', 'roles: ["admin"], email:'), FAILED],
    ['a field without its selection', `${MUTATION.replace('{ tokenType }', '')}`, FAILED],
  ])('%s is rejected with 400, or with 200 for application/json', async (_, query, code) => {
    const before = await server.bandha.store.listUsers();
    for (const [accept, status] of [
      ['application/graphql-response+json', 400],
      ['application/json', 200],
    ] as const) {
      const response = await post(JSON.stringify({ query }), { accept });
      expectRejected(response, status, code);
      expect(response.headers.get('content-type')).toContain(accept);
    }
    expect(await server.bandha.store.listUsers()).toEqual(before);
  });

  it.each([
    ['selections', `${'{a'.repeat(20_000)}${'}'.repeat(20_000)}`],
    ['lists', `{ viewer(x: ${'['.repeat(40_000)}${']'.repeat(40_000)}) { id } }`],
  ])('thousands of nested %s are rejected with 400 as an error of the client', async (_, query) => {
    const accept = 'application/graphql-response+json';
    const { status, body } = await post(JSON.stringify({ query }), { accept });
    expect(body.errors[0].extensions.code).not.toBe('INTERNAL_SERVER_ERROR');
    expect(status).toBe(400);
  });

  it.each([
    ['an unknown name', MUTATION, 'Nope'],
    ['an empty name', MUTATION, ''],
    ['a very long name', MUTATION, 'a'.repeat(10_000)],
    ['no name for one of two', `query A ${VIEWER} ${MUTATION.replace('{', 'B {')}`, undefined],
  ])('an operation chosen by %s is rejected with 400', async (_, query, operationName) => {
    const accept = 'application/graphql-response+json';
    const response = await post(JSON.stringify({ query, operationName }), { accept });
    expectRejected(response, 400, 'OPERATION_RESOLUTION_FAILURE');
    expect(await server.bandha.store.findUserByEmail('made@example.com')).toBeUndefined();
  });

  it.each([
    ['no values', {}],
    ['null values', { email: null, password: null }],
    ['a number', { email: 'made@example.com', password: 31415926 }],
    ['a list', { email: 'made@example.com', password: [SECRET] }],
    ['an object', { email: { address: SECRET }, password: SECRET }],
  ])('variables with %s are rejected with a code and not quoted', async (_, variables) => {
    const headers = { accept: 'application/graphql-response+json' };
    const response = await server.send(REGISTER, { variables, headers });
    expect(JSON.stringify(response.body)).not.toMatch(/hunter2|31415926/);
    expectRejected(response, 400, 'BAD_USER_INPUT');
    expect(await server.bandha.store.findUserByEmail('made@example.com')).toBeUndefined();
  });
});

describe('registering', () => {
  /** Expects that registration is rejected, repeats nothing of the input and changes no account. */
  async function expectNotRegistered(email: string, password: string, reason: string): Promise<void> {
    const before = await server.bandha.store.listUsers();
    const { status, body } = await register(email, password);
    expect({ status, extensions: body.errors?.[0].extensions }).toEqual({
      status: 200,
      extensions: { code: 'BAD_USER_INPUT', reason },
    });
    for (const input of [email, password].filter((text) => text.trim().length > 3)) {
      expect(body.errors[0].message).not.toContain(input);
    }
    expect(await server.bandha.store.listUsers()).toEqual(before);
  }
  async function expectRegistered(email: string, password: string): Promise<void> {
    expect((await register(email, password)).body).toEqual({ data: { register: { tokenType: 'Bearer' } } });
    expect((await logIn(email, password)).body.data?.login.tokenType).toBe('Bearer');
  }
  const someEmail = () => `${crypto.randomUUID()}@example.com`;
  const domain = (length: number) => `${'d'.repeat(length - 128)}.${'d'.repeat(63)}.${'d'.repeat(63)}`;

  it.each([
    ['no text', ''],
    ['white space', ' \t '],
    ['no @', 'example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ada@'],
    ['two @', 'ada@ada@example.com'],
    ['a space inside', 'ada lovelace@example.com'],
    ['an empty label', 'ada@example..com'],
    ['a dot at the end', 'ada.@example.com'],
    ['a NUL', 'ada\0@example.com'],
    ['a line break and a header', 'ada@example.com\r\nBcc: bob@example.com'],
    ['an invisible character', 'a\u200bda@example.com'],
    ['markup', '<script>@example.com'],
    ['255 characters', `${'a'.repeat(64)}@${domain(190)}`],
    ['90,000 characters', `${'a'.repeat(90_000)}@example.com`],
    ['90,000 characters of white space', `${' '.repeat(90_000)}ada@example.com`],
  ])('rejects an email with %s', async (_, email) => {
    await expectNotRegistered(email, GOOD_PASSWORD, 'INVALID_EMAIL');
  });

  it.each([
    ['254 characters', `${'a'.repeat(64)}@${domain(189)}`],
    ['254 characters once composed (NFC)', `${'e\u0301'.repeat(64)}@${domain(189)}`],
    ['254 code points outside the basic plane', `${'🧘'.repeat(64)}@${domain(189)}`],
    ['letters of another script', 'почта@пример.рф'],
  ])('accepts an email of %s', async (_, email) => {
    await expectRegistered(email, GOOD_PASSWORD);
  });

  it.each([
    ['composed and decomposed', 'jos\u00e9@example.com', 'jose\u0301@example.com'],
    ['decomposed and composed', 'zoe\u0308@example.com', 'zo\u00eb@example.com'],
    ['in another case', 'grace@example.com', 'GRACE@Example.COM'],
    ['in another case and decomposed', 'andr\u00e9@caf\u00e9.example', 'ANDRE\u0301@CAFE\u0301.EXAMPLE'],
    ['in white space', 'alan@example.com', '\t \u00a0alan@example.com\r\n'],
    ['registered in white space', ' edsger@example.com ', 'edsger@example.com'],
  ])('two spellings of one email are one account: %s', async (_, first, second) => {
    await expectRegistered(first, GOOD_PASSWORD);
    await expectNotRegistered(second, GOOD_PASSWORD, 'EMAIL_TAKEN');
    expect((await logIn(second, GOOD_PASSWORD)).body.data?.login.tokenType).toBe('Bearer');
  });

  it.each([
    ['0 characters', ''],
    ['7 characters', '7 chars'],
    ['7 code points outside the basic plane', '🧘'.repeat(7)],
    ['7 characters once normalized (NFKC)', 'e\u0301'.repeat(7)],
    ['257 characters', 'xy'.repeat(128).concat('z')],
    ['257 code points outside the basic plane', '🧘'.repeat(257)],
    ['257 characters once normalized (NFKC)', `${'\ufb01'.repeat(128)}z`],
    ['90,000 characters', 'xy'.repeat(45_000)],
    ['a common word', 'iloveyou'],
    ['a common word in another case', 'PassWord1'],
    ['a common word in full width', 'ｐａｓｓｗｏｒｄ'],
  ])('rejects a password of %s', async (_, password) => {
    await expectNotRegistered(someEmail(), password, 'WEAK_PASSWORD');
  });

  it.each([
    ['as it is', 'gertrude@example.com', 'my name is gertrude'],
    ['in another case', 'gertrude@example.com', 'iamGERTRUDE99'],
    ['in full width', 'gertrude@example.com', 'ｇｅｒｔｒｕｄｅ-99'],
    ['decomposed', 'ren\u00e9e@example.com', 'je suis rene\u0301e'],
  ])('rejects a password that contains the local part of the email %s', async (_, email, password) => {
    await expectNotRegistered(email, password, 'WEAK_PASSWORD');
  });

  it.each([
    ['8 characters', '8 chars!'],
    ['8 code points outside the basic plane', '🧘'.repeat(8)],
    ['8 characters once normalized (NFKC)', '\ufb01'.repeat(4)],
    ['256 characters', 'xy'.repeat(128)],
    ['256 code points outside the basic plane', '🧘'.repeat(256)],
    ['256 characters once composed (NFKC)', 'e\u0301'.repeat(256)],
    ['256 characters once expanded (NFKC)', '\ufb01'.repeat(128)],
    ['letters of other scripts', 'пароль из слов 合言葉'],
    ['control characters', '\u0001\u0007\u001b[31m red\n'],
    ['spaces alone', ' '.repeat(12)],
  ])('accepts a password of %s', async (_, password) => {
    await expectRegistered(someEmail(), password);
  });

  it.each([
    ['surrounding space', '  spaces around it  ', 'spaces around it'],
    ['case', 'Mind The Case', 'mind the case'],
    ['text after a NUL', 'before\0 and after', 'before\0 and later'],
    ['text after the 72nd byte', `${'long '.repeat(20)}a`, `${'long '.repeat(20)}b`],
  ])('a password with another %s does not match', async (_, password, other) => {
    const email = someEmail();
    await expectRegistered(email, password);
    expect((await logIn(email, other)).body.errors[0].extensions).toEqual({ code: 'INVALID_CREDENTIALS' });
  });
});

describe('signing in with impossible credentials', () => {
  it.each([
    ['an empty email', '', GOOD_PASSWORD],
    ['text that is not an email', 'not an email', GOOD_PASSWORD],
    ['an email of 90,000 characters', `${'a'.repeat(90_000)}@example.com`, GOOD_PASSWORD],
    ['an unknown email and 90,000 characters', 'nobody@example.com', 'x'.repeat(90_000)],
    ['an empty password', 'known@example.com', ''],
    ['a password of 257 characters', 'known@example.com', 'x'.repeat(257)],
    ['a password of 90,000 characters', 'known@example.com', 'x'.repeat(90_000)],
  ])('rejects %s like any wrong credentials', async (_, email, password) => {
    await register('known@example.com', GOOD_PASSWORD);
    const response = await logIn(email, password);
    expect(response.status).toBe(200);
    expect(response.body.errors[0].extensions).toEqual({ code: 'INVALID_CREDENTIALS' });
    expect(response.body).toMatchObject((await logIn('known@example.com', 'not this one')).body);
  });
});

describe('refreshing with an invalid refresh token', () => {
  const otherDigit = (text: string) => (text.startsWith('1') ? '2' : '1') + text.slice(1);
  const INVALID_TOKENS: [string, (parts: [string, string, string], whole: string) => string][] = [
    ['an empty string', () => ''],
    ['dots', () => '..'],
    ['three words', () => 'a.b.c'],
    ['90,000 characters', () => 'x'.repeat(90_000)],
    ['90,000 parts', () => '.'.repeat(90_000)],
    ['emoji', () => '🧘.🧘.🧘'],
    ['SQL', () => `' OR '1'='1`],
    ['a token in white space', (_, whole) => ` ${whole}\n`],
    ['a token followed by a NUL', (_, whole) => `${whole}\0`],
    ['a token followed by more text', (_, whole) => `${whole}.${whole}`],
    ['a token without its mac', ([id, generation]) => `${id}.${generation}.`],
    ['a token of another session', ([id, ...rest]) => [otherDigit(id), ...rest].join('.')],
    ['a token of the next generation', ([id, , mac]) => [id, '2', mac].join('.')],
    ['a token with a leading zero', ([id, , mac]) => [id, '01', mac].join('.')],
    ['a token in capitals', ([id, ...rest]) => [id.toUpperCase(), ...rest].join('.')],
    ['a token with another mac', ([id, generation, mac]) => [id, generation, otherDigit(mac)].join('.')],
  ];
  const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { refreshToken } }';

  it.each(INVALID_TOKENS)('rejects %s and revokes nothing', async (_, change) => {
    const { refreshToken } = await makeAccount(server.url);
    const token = change(refreshToken.split('.') as [string, string, string], refreshToken); // a refresh token has three parts
    const { status, body } = await server.send(REFRESH, { variables: { token } });
    expect(status).toBe(200);
    expect(body.errors[0].extensions).toEqual({ code: 'INVALID_REFRESH_TOKEN', reason: 'UNKNOWN' });
    const { body: after } = await server.send(REFRESH, { variables: { token: refreshToken } });
    expect(after.data.refresh.refreshToken).toMatch(/\.2\./);
  });

  it('rejects an access token as refresh token', async () => {
    const { accessToken } = await makeAccount(server.url);
    const { body } = await server.send(REFRESH, { variables: { token: accessToken } });
    expect(body.errors[0].extensions).toEqual({ code: 'INVALID_REFRESH_TOKEN', reason: 'UNKNOWN' });
  });
});

describe('an unexpected error in a resolver of the application', () => {
  const detail = 'secret detail';
  const throwers: Record<string, () => unknown> = {
    error() {
      throw new Error(detail, { cause: new Error(detail) });
    },
    rejection: () => Promise.reject(new TypeError(detail)),
    text() {
      throw detail;
    },
    withExtensions() {
      throw Object.assign(new Error(detail), { extensions: { detail } });
    },
    timeout() {
      throw new DOMException(detail, 'TimeoutError');
    },
    several() {
      throw new AggregateError([new Error(detail), detail], detail);
    },
  };
  afterEach(() => void vi.unstubAllEnvs());

  it.each(['production', 'development', 'test'])(
    'masks an unexpected error with NODE_ENV=%s',
    async (env) => {
      vi.stubEnv('NODE_ENV', env);
      const fields = Object.keys(throwers).flatMap((name) => [`${name}: Int`, `${name}NotNull: Int!`]);
      const resolvers = Object.entries(throwers).flatMap(([name, fn]) => [
        [name, fn],
        [`${name}NotNull`, fn],
      ]);
      const local = await startTestServer({
        typeDefs: `extend type Query { ${fields.join(' ')} }`,
        resolvers: { Query: Object.fromEntries(resolvers) },
      });
      try {
        for (const field of resolvers.map(([name]) => name)) {
          const response = await local.send(`{ ${field} }`);
          expect([200, 500]).toContain(response.status);
          expect(response.body.errors).not.toHaveLength(0);
          for (const { extensions } of response.body.errors) {
            expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
          }
          expect(JSON.stringify([response.body, [...response.headers]])).not.toMatch(
            /secret|detail|stack|\.ts/,
          );
        }
      } finally {
        await local.close();
      }
    },
  );
});
