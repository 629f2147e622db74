// Checks that operations that are too costly are rejected before they run, on every listener.
import { getIntrospectionQuery } from 'graphql';
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

/** Introspection with `count` aliases on each of three levels. */
const introspect = (count: number) =>
  `{ __schema { ${repeat(count, (i) => `a${i}: types { ...T }`)} } }
  fragment T on __Type { ${repeat(count, (i) => `b${i}: fields { ...F }`)} }
  fragment F on __Field { ${repeat(count, (i) => `c${i}: name`)} }`;

const TOO_COSTLY: [string, string, string][] = [
  [
    'aliases of fields below aliases',
    `{ ${repeat(100, (i) => `a${i}: secureData { ...S }`)} } fragment S on SecureData { ${repeat(100, (j) => `b${j}: user { id }`)} }`,
    'maxCost',
  ],
  [
    'fragments in fragments',
    `{ ${repeat(99, (i) => `a${i}: viewer { ...A ...A }`)} }
    fragment A on User { ...B ...B } fragment B on User { ${repeat(60, (i) => `c${i}: id`)} }`,
    'maxCost',
  ],
  ['a list of fields', `{ sessions { ${repeat(210, (i) => `a${i}: id`)} } }`, 'maxCost'],
  [
    'mutations',
    `mutation { ${repeat(50, (i) => `a${i}: login(email: "a", password: "b") { ${repeat(20, (j) => `b${j}: user { ...U }`)} }`)} }
      fragment U on User { ${repeat(20, (i) => `c${i}: id`)} }`,
    'maxCost',
  ],
  ['introspection with aliases on three levels', introspect(12), 'maxIntrospectionCost'],
  [
    'introspection of a type whose name is a variable',
    `query ($n: String!) { __type(name: $n) { ${repeat(60, (i) => `a${i}: fields { ...F }`)} } }
    fragment F on __Field { ${repeat(60, (i) => `b${i}: type { name }`)} }`,
    'maxIntrospectionCost',
  ],
  ['root fields', `{ ${repeat(101, (i) => `a${i}: viewer { id }`)} }`, 'maxRootFields'],
  ['one repeated root field', `{ ${repeat(500, () => 'viewer { id }')} }`, 'maxRootFields'],
];

describe.each([
  ['on the fast path', (query: string) => server.send(query, { token })],
  [
    'on the Yoga handler',
    (query: string) =>
      server.send(query, { token, headers: { 'x-test': '1', accept: 'application/json; q=0.9' } }),
  ],
  ['by GET', get],
  ['in a Yoga server of the application', own],
])('%s', (_, send) => {
  it.each(TOO_COSTLY.filter(([, query]) => !query.startsWith('mutation') || send !== get))(
    'rejects %s',
    async (_, query, reason) => {
      const { status, body } = await send(query);
      expect(body).not.toHaveProperty('data');
      expect(body.errors).toHaveLength(1);
      const { extensions, message } = body.errors[0];
      expect(status).toBe(400);
      expect(extensions).toEqual({
        code: 'OPERATION_TOO_COSTLY',
        reason,
        cost: expect.any(Number),
        limit: expect.any(Number),
      });
      expect(extensions.cost).toBeGreaterThan(extensions.limit);
      expect(message).toContain(reason);
      expect(message).toContain(String(extensions.limit));
      expect(message).toContain(String(extensions.cost));
    },
  );

  it('accepts the queries of GraphiQL and of an ordinary application', async () => {
    for (const query of [
      getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true, specifiedByUrl: true }),
      '{ viewer { id email roles } secureData { message user { id email roles createdAt } } sessions { id createdAt lastUsedAt expiresAt userAgent ipAddress current } }',
      `{ ${repeat(100, (i) => `a${i}: viewer { id email roles createdAt }`)} }`,
    ]) {
      const { status, body } = await send(query);
      expect(body.errors).toBeUndefined();
      expect(status).toBe(200);
    }
  });
});

function get(query: string) {
  return fetch(`${server.url}/graphql?query=${encodeURIComponent(query.replace(/\s+/g, ' '))}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  }).then(async (response) => ({ status: response.status, body: await response.json() }));
}

async function own(query: string) {
  const { schema, plugins } = server.bandha;
  const yoga = createYoga({ schema, plugins, logging: false });
  const response = await yoga.fetch('http://test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, body: await response.json() };
}
