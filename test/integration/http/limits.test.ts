// Checks the limits of one request, on Bandha's own server and in an application's Yoga server.
import { createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer();
  token = (await register(server.url)).accessToken;
});
afterAll(() => server.close());

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

describe('root fields', () => {
  it.each([
    ['aliases', `{ ${repeat(101, (i) => `a${i}: viewer { id }`)} }`],
    ['inline fragments', `{ ${repeat(101, () => '... { viewer { id } }')} }`],
    [
      'fragments in fragments',
      `{ ...A ...A } fragment A on Query { ${repeat(51, (i) => `a${i}: viewer { id }`)} }`,
    ],
    ['introspection', `{ ${repeat(101, (i) => `a${i}: __schema { types { name } }`)} }`],
    ['mutations', `mutation { ${repeat(101, (i) => `a${i}: logout(refreshToken: "x")`)} }`],
  ])('more than 100 root fields are rejected: %s', async (_, query) => {
    const { status, body } = await server.send(query, { token });
    expect(status).toBe(400);
    expect(body.errors[0].extensions).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      reason: 'maxRootFields',
      limit: 100,
    });
    expect(body.errors[0].extensions.cost).toBeGreaterThan(100);
    expect(body).not.toHaveProperty('data');
  });

  it('100 root fields are accepted', async () => {
    const { body } = await server.send(`{ ${repeat(100, (i) => `a${i}: viewer { id }`)} }`, { token });
    expect(Object.keys(body.data)).toHaveLength(100);
  });

  it('root fields are counted before the caller is authorized', async () => {
    const { status, body } = await server.send(`{ ${repeat(500, (i) => `a${i}: secureData { message }`)} }`);
    expect(status).toBe(400);
    expect(body.errors).toHaveLength(1);
  });
});

it('documents of more than 10,000 tokens are rejected before they are parsed', async () => {
  const { status, body } = await server.send(`{ viewer { ${repeat(10_000, () => 'id')} } }`);
  expect(status).toBe(200); // as the specification requires for application/json
  expect(body.errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
});

it('errors in documents of thousands of lines have no locations', async () => {
  const { body } = await server.send(`{${'\n'.repeat(2_000)} secureData { message } }`);
  expect(body.errors[0].extensions.reason).toBe('MISSING_TOKEN');
  expect(body.errors[0]).not.toHaveProperty('locations');
});

it('reports at most 100 invalid variables', async () => {
  const names = Array.from({ length: 600 }, (_, i) => `v${i}`);
  const query = `query (${names.map((name) => `$${name}: Boolean!`).join(' ')}) { viewer { ${names.map((name) => `id @skip(if: $${name})`).join(' ')} } }`;
  const { body } = await server.send(query, { token });
  expect(body.errors).toHaveLength(100);
  expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

it('reports at most five cycles if each names hundreds of fragments', async () => {
  const query = `{ ...F0 } ${repeat(1_000, (i) => `fragment F${i} on Query { ...F${i + 1} }`)}
    fragment F1000 on Query { ${repeat(150, (i) => `...F${i}`)} }`;
  const { body } = await server.send(query, { token });
  expect(body.errors[0].message).toContain('Cannot spread fragment "F0" within itself');
  expect(body.errors.length).toBeLessThan(7);
  expect(JSON.stringify(body).length).toBeLessThan(500_000);
});

it('an application’s Yoga server has the same limits and repeats no value', async () => {
  const { schema, plugins } = server.bandha;
  const yoga = createYoga({ schema, plugins, logging: false });
  const send = async (query: string, variables?: object) => {
    const response = await yoga.fetch('http://test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, text: await response.text() };
  };
  expect((await send(`${'{a'.repeat(20_000)}`)).status).toBe(400);
  const login = 'mutation ($p: String!) { login(email: "a@example.com", password: $p) { tokenType } }';
  const bad = await send(login, { p: { secret: 'hunter2' } });
  expect(bad.status).toBe(400);
  expect(bad.text).not.toContain('hunter2');
});

it('too many attempts get 429 with Retry-After, even if denied fields are null', async () => {
  const local = await startTestServer({ onDenied: 'null' });
  const login = 'mutation { login(email: "ada@example.com", password: "wrong password") { tokenType } }';
  for (let i = 0; i < 100; i += 1) await local.send(login);
  const { status, headers, body } = await local.send(login);
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.errors[0].extensions).toEqual({ code: 'RATE_LIMITED' });
  await local.close();
});
