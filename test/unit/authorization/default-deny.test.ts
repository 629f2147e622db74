// With defaultAccess: 'deny', fields without a rule require a signed-in caller.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { createYoga } from 'graphql-yoga';
import { afterEach, describe, expect, it } from 'vitest';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createTestKit, type TestKitOptions } from '../../../src/testing/index.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../../support/test-server.ts';

const TYPES = `${directiveTypeDefs}
  directive @skipAuth on FIELD_DEFINITION | OBJECT | INTERFACE
  type Query {
    closed: String
    open: String @public
    skipped: String @skipAuth
    admin: String @auth(roles: ["admin"])
    openType: OpenType @public
    plainType: PlainType @public
    lockedType: LockedType @public
    shelf: Shelf @public
    nodes: [Node] @public
    things: [Thing] @public
  }
  type Mutation { ping: Int hello: Int @public }
  type Subscription { ticks: Int }
  type OpenType @public { name: String root: Query locked: String @auth }
  type PlainType { name: String free: String @public }
  type LockedType @auth { name: String }
  interface Shelf @public { label: String }
  type BookShelf implements Shelf { label: String books: Int root: Query @public }
  interface Node { id: ID @public note: String }
  type Leaf implements Node { id: ID note: String }
  union Thing = OpenType | PlainType
`;
const DATA: Record<string, unknown> = {
  closed: 'c',
  open: 'o',
  skipped: 's',
  admin: 'a',
  ping: 1,
  hello: 2,
  openType: { name: 'n', locked: 'l' },
  plainType: { name: 'n', free: 'f' },
  lockedType: { name: 'n' },
  shelf: { __typename: 'BookShelf', label: 'l', books: 9 },
  nodes: [{ __typename: 'Leaf', id: 1 }],
  things: [
    { __typename: 'OpenType', name: 'n' },
    { __typename: 'PlainType', name: 'n' },
  ],
};

function createApp(options: TestKitOptions = {}) {
  const calls: string[] = [];
  const schema = mapSchema(makeExecutableSchema({ typeDefs: TYPES }), {
    [MapperKind.OBJECT_FIELD]: (config, field, type) => ({
      ...config,
      resolve(source) {
        calls.push(`${type}.${field}`);
        return (source ?? DATA)[field];
      },
    }),
  });
  const kit = createTestKit(
    { schema },
    { defaultAccess: 'deny', introspection: 'all', log: { warn() {} }, ...options },
  );
  return { ...kit, calls };
}

const CLOSED: [string, string, string][] = [
  ['a field without a directive', '{ open closed }', 'Query.closed'],
  ['a mutation', 'mutation { hello ping }', 'Mutation.ping'],
  ['the root’s __typename', '{ __typename }', 'Query.__typename'],
  ['a mutation’s __typename', 'mutation { __typename }', 'Mutation.__typename'],
  ['__schema', '{ __schema { queryType { name } } }', 'Query.__schema'],
  ['__type', '{ __type(name: "Query") { name } }', 'Query.__type'],
  [
    '__schema of a root below the root',
    '{ openType { root { __schema { description } } } }',
    'Query.__schema',
  ],
  [
    '__type of a root behind an interface',
    '{ shelf { ... on BookShelf { root { __type(name: "Query") { name } } } } }',
    'Query.__type',
  ],
  ['a field of a type without a directive', '{ plainType { free name } }', 'PlainType.name'],
  ['a protected field of a public type', '{ openType { name locked } }', 'OpenType.locked'],
  [
    'a public field that returns a protected type',
    '{ lockedType { name } }',
    'Query.lockedType LockedType.name',
  ],
  [
    'a field that an implementation adds to a public interface',
    '{ shelf { label ... on BookShelf { books } } }',
    'BookShelf.books',
  ],
  ['a field of an interface without a directive', '{ nodes { id note } }', 'Node.note'],
];
const OPEN: [string, string, object][] = [
  ['a public field', '{ open }', { open: 'o' }],
  ['a field with @skipAuth', '{ skipped }', { skipped: 's' }],
  ['a public mutation', 'mutation { hello }', { hello: 2 }],
  ['a public type', '{ openType { __typename name } }', { openType: { __typename: 'OpenType', name: 'n' } }],
  ['a public field of a type without a directive', '{ plainType { free } }', { plainType: { free: 'f' } }],
  ['a public interface', '{ shelf { label } }', { shelf: { label: 'l' } }],
  [
    'an interface’s public part of an object',
    '{ shelf { ... on BookShelf { label } } }',
    { shelf: { label: 'l' } },
  ],
  [
    'an interface’s public field',
    '{ nodes { id ... on Leaf { same: id } } }',
    { nodes: [{ id: '1', same: '1' }] },
  ],
];

/** Fragments with more selections than the planner visits one by one. */
const LONG_FRAGMENTS = Array.from(
  { length: 14 },
  (_, i) =>
    `fragment M${i} on OpenType { ${['a', 'b'].map((key) => `${key}: root { openType { ...M${i + 1} } }`).join(' ')} }`,
).join(' ');

describe('an anonymous caller', () => {
  it('an anonymous caller cannot read the root’s __typename in a long document', async () => {
    const query = `{ openType { ...M0 } below: openType { root { ...F } } ...F } fragment F on Query { __typename }`;
    const operationLimits = { maxCost: 1e9, maxComparedFields: 1e9 };
    const { status, denials } = await createApp({ operationLimits }).anonymous.execute(
      `${query} ${LONG_FRAGMENTS} fragment M14 on OpenType { name }`,
    );
    expect(denials.map(({ coordinate, path }) => `${coordinate} at ${path?.join('.')}`)).toEqual([
      'Query.__typename at __typename',
    ]);
    expect(status).toBe(401);
  });

  it.each(CLOSED)('an anonymous caller cannot read %s', async (_, query, coordinates) => {
    const { anonymous, calls } = createApp();
    const { status, body, denials } = await anonymous.execute(query);
    expect(denials.map(({ coordinate }) => coordinate)).toEqual(coordinates.split(' '));
    for (const { reason } of denials) expect(reason).toBe('MISSING_TOKEN');
    expect(body.errors).toHaveLength(denials.length);
    expect(body).not.toHaveProperty('data');
    expect(status).toBe(401);
    expect(calls).toEqual([]);
  });

  it.each(CLOSED)('an anonymous caller gets null for %s, onDenied null', async (_, query) => {
    const { anonymous, calls } = createApp({ onDenied: 'null' });
    const { status, data, reason } = await anonymous.execute(query);
    expect(reason).toBe('MISSING_TOKEN');
    expect(JSON.stringify(data ?? null)).not.toMatch(/"(Query|Mutation)"/);
    expect(status).toBe(200);
    const forbidden = /closed|ping|PlainType.name|locked|books|note/;
    expect(calls.filter((call) => forbidden.test(call))).toEqual([]);
  });

  it.each(OPEN)('an anonymous caller can read %s', async (_, query, data) => {
    expect((await createApp().anonymous.execute(query)).body).toEqual({ data });
  });
});

describe('a signed-in caller', () => {
  it.each([...CLOSED, ...OPEN].map(([name, query]) => [name, query]))(
    'a signed-in caller can read %s',
    async (_, query = '') => {
      const { status, body } = await createApp().as().execute(query);
      expect(body.errors).toBeUndefined();
      expect(status).toBe(200);
    },
  );

  it('a signed-in caller without the role cannot read a field that requires it', async () => {
    expect((await createApp().as().execute('{ admin }')).reason).toBe('MISSING_ROLE');
  });
});

it('an element that is both public and protected is a ConfigError', () => {
  const typeDefs = `${directiveTypeDefs} type Query { odd: String @public @auth }`;
  const schema = makeExecutableSchema({ typeDefs });
  expect(() => createYoga({ schema, plugins: [useGuard({ defaultAccess: 'deny' })] })).toThrow(
    'Query.odd: must not be both public and protected',
  );
});

describe('createBandha({ defaultAccess: "deny" })', () => {
  let server: TestServer;
  afterEach(() => server.close());
  const ACCOUNT = { email: 'ada@example.com', password: GOOD_PASSWORD };
  const TOKENS = 'accessToken tokenType expiresIn refreshToken user { id email roles createdAt }';

  it('an anonymous caller can register, sign in, refresh, read viewer, and sign out', async () => {
    server = await startTestServer({
      defaultAccess: 'deny',
      typeDefs: 'extend type Query { forgotten: String }',
      resolvers: { Query: { forgotten: () => 'f' } },
    });
    const { send } = server;
    const issueTokens = (field: string) => `mutation ($email: String!, $password: String!) {
      ${field}(email: $email, password: $password) { ${TOKENS} } }`;
    const registered = await send(issueTokens('register'), { variables: ACCOUNT });
    expect(registered.body.errors).toBeUndefined();
    const signedIn = await send(issueTokens('login'), { variables: ACCOUNT });
    expect(signedIn.body.errors).toBeUndefined();
    const { refreshToken } = signedIn.body.data.login;
    const refreshed = await send(`mutation ($t: String!) { refresh(refreshToken: $t) { ${TOKENS} } }`, {
      variables: { t: refreshToken },
    });
    expect(refreshed.body.errors).toBeUndefined();
    const token = refreshed.body.data.refresh.accessToken;
    expect((await send('{ viewer { id } }')).body).toEqual({ data: { viewer: null } });
    expect(
      (await send('{ viewer { id email roles createdAt } forgotten }', { token })).body.data,
    ).toMatchObject({
      viewer: { email: ACCOUNT.email },
      forgotten: 'f',
    });
    expect((await send('{ forgotten }')).body.errors[0].extensions.coordinate).toBe('Query.forgotten');
    const signedOut = await send('mutation ($t: String) { logout(refreshToken: $t) }', {
      variables: { t: refreshed.body.data.refresh.refreshToken },
    });
    expect(signedOut.body).toEqual({ data: { logout: true } });
  });
});
