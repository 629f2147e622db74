// The test kit: its users, results, options and schemas.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { directiveTypeDefs } from '../../../src/index.ts';
import {
  authMatchers,
  createTestKit,
  type PrincipalSpec,
  type TestKitOptions,
  type TestUser,
  type TokenCondition,
} from '../../../src/testing/index.ts';
import { startTestServer } from '../../support/test-server.ts';

expect.extend(authMatchers);

const SILENT = { warn() {} };
const typeDefs = /* GraphQL */ `
  type Query {
    open: String!
    signedIn: String @auth
    payroll: String @auth(roles: ["accountant", "admin"])
    ledger: String @auth(scopes: [["ledger", "read"], ["all"]])
    recent: String @auth(maxAge: 300)
    own(id: ID!): String @auth(policies: [["owner"]])
    fails: String
    posts: [Post]
    seen: String
  }
  type Mutation { count: Int! @auth }
  type Subscription { ticks: Int @auth open: Int }
  interface Post { id: ID! }
  type PublicPost implements Post { id: ID! }
  type PrivatePost implements Post @auth { id: ID! }
`;

function createApp(options: TestKitOptions = {}) {
  const calls: string[] = [];
  const recordCall = (name: string) => () => {
    calls.push(name);
    return name;
  };
  const names = ['open', 'signedIn', 'payroll', 'ledger', 'recent', 'own'];
  const kit = createTestKit(
    {
      typeDefs,
      resolvers: {
        Query: {
          ...Object.fromEntries(names.map((name) => [name, recordCall(name)])),
          fails: () => Promise.reject(new Error('the database is away')),
          posts: () => [
            { __typename: 'PublicPost', id: 1 },
            { __typename: 'PrivatePost', id: 2 },
          ],
          seen: (_: unknown, __: unknown, context: object) =>
            'seen' in context ? String(context.seen) : 'no',
        },
        Mutation: { count: () => calls.push('count') },
        Subscription: {
          ticks: {
            async *subscribe() {
              calls.push('ticks');
              yield { ticks: 1 };
              await new Promise(() => {}); // never ends
            },
          },
        },
      },
    },
    {
      policies: { owner: ({ principal, args }) => args.id === principal.userId },
      log: SILENT,
      ...options,
    },
  );
  return { kit, calls };
}

describe('denials', () => {
  it.each<[string, string, number, TokenCondition]>([
    ['TOKEN_EXPIRED', 'UNAUTHENTICATED', 401, 'expired'],
    ['TOKEN_REVOKED', 'UNAUTHENTICATED', 401, 'revoked'],
    ['TOKEN_INVALID', 'UNAUTHENTICATED', 401, 'forged'],
    ['TOKEN_MALFORMED', 'UNAUTHENTICATED', 401, 'malformed'],
    ['KEYS_UNAVAILABLE', 'SERVICE_UNAVAILABLE', 503, 'unavailable'],
    ['REVOCATIONS_UNAVAILABLE', 'SERVICE_UNAVAILABLE', 503, 'unchecked'],
  ])(
    'a rejected token gives %s, and public fields stay available',
    async (reason, code, status, condition) => {
      const { kit, calls } = createApp();
      const user = kit.withToken(condition);
      expect(user.principal).toBeNull();
      const result = await user.execute('{ open signedIn }');
      expect(result).toMatchObject({ code, reason, status, coordinate: 'Query.signedIn', data: undefined });
      expect(result).toBeDenied(reason as 'TOKEN_EXPIRED', 'Query.signedIn'); // every row has a reason of the kit
      expect(result.headers.has('retry-after')).toBe(status === 503);
      expect(calls).toEqual([]);
      expect((await user.execute('{ open }')).data).toEqual({ open: 'open' });
    },
  );

  it.each<[string, number, PrincipalSpec | null, string, string | null]>([
    ['MISSING_TOKEN', 401, null, '{ open signedIn }', 'Bearer realm="bandha"'],
    ['MISSING_ROLE', 403, { roles: ['clerk'] }, '{ open payroll }', null],
    [
      'MISSING_SCOPE',
      403,
      { scopes: ['read'] },
      '{ open ledger }',
      'Bearer realm="bandha", error="insufficient_scope", scope="ledger read"',
    ],
    ['POLICY_DENIED', 403, { userId: 'bob' }, '{ open own(id: "ada") }', null],
  ])('a denied field gives %s', async (reason, status, spec, query, challenge) => {
    const { kit, calls } = createApp();
    const user = spec === null ? kit.anonymous : kit.as(spec);
    const result = await user.execute(query);
    expect(result).toMatchObject({ reason, status, data: undefined });
    expect(result.body).not.toHaveProperty('data');
    expect(result.headers.get('www-authenticate')).toBe(challenge);
    expect(calls).toEqual([]);
  });

  it('maxAge is exceeded exactly when the clock passes it', async () => {
    const { kit } = createApp();
    const ada = kit.as();
    kit.clock.advance(300);
    expect(await ada.execute('{ recent }')).toBeAllowed();
    kit.clock.advance(1);
    const result = await ada.execute('{ recent }');
    expect(result).toBeDenied('REAUTHENTICATION_REQUIRED', 'Query.recent');
    expect(result.headers.get('www-authenticate')).toContain('max_age="300"');
    expect(await kit.as().execute('{ recent }')).toBeAllowed();
  });

  it('objects of an interface are denied one by one', async () => {
    const { kit } = createApp();
    const result = await kit.anonymous.execute('{ posts { id } }');
    expect(result.data).toEqual({ posts: [{ id: '1' }, null] });
    expect(result.denials).toMatchObject([{ reason: 'MISSING_TOKEN', path: ['posts', 1] }]);
    expect(result.status).toBe(200);
  });
});

describe('kit.as', () => {
  it.each<[string, PrincipalSpec, string]>([
    ['no roles', {}, '{ signedIn }'],
    ['a role', { roles: ['admin'] }, '{ payroll }'],
    ['a set of roles', { roles: new Set(['accountant']) }, '{ payroll }'],
    ['scopes', { scopes: ['read', 'ledger'] }, '{ ledger }'],
    ['the id that a policy requires', { userId: 'ada' }, '{ own(id: "ada") }'],
    ['a claim', { claims: { roles: ['admin'] } }, '{ payroll }'],
  ])('a user with %s is allowed', async (_, spec, query) => {
    const { kit } = createApp();
    expect(await kit.as(spec).execute(query)).toBeAllowed();
  });

  it('the principal of a user has the claims that a token would have', () => {
    const { kit } = createApp();
    kit.clock.now = new Date('2026-01-31T12:00:00Z');
    const authenticatedAt = new Date('2026-01-31T11:00:00Z');
    const ada = kit.as({
      userId: 'ada',
      sessionId: 's1',
      roles: ['admin'],
      scopes: ['a', 'b'],
      authenticatedAt,
      claims: { tenant: 't' },
    });
    expect(ada.principal).toEqual({
      userId: 'ada',
      sessionId: 's1',
      roles: new Set(['admin']),
      scopes: new Set(['a', 'b']),
      authenticatedAt,
      claims: {
        ...{ sub: 'ada', sid: 's1', roles: ['admin'], scope: 'a b', tenant: 't' },
        ...{ auth_time: +authenticatedAt / 1000, iat: +kit.clock.now / 1000 },
      },
    });
  });

  it('the token of a user expires at its exp claim', async () => {
    const { kit } = createApp();
    const exp = kit.clock.now.getTime() / 1000 + 60;
    const ada = kit.as({ claims: { exp } });
    kit.clock.advance(59);
    expect(await ada.execute('{ signedIn }')).toBeAllowed();
    kit.clock.advance(1);
    expect(await ada.execute('{ signedIn }')).toBeDenied('TOKEN_EXPIRED');
    expect(ada.principal).toBeNull();
  });

  it('a user whose claims no token can have throws', () => {
    const { kit } = createApp();
    const invalid: unknown[] = [
      { role: ['admin'] },
      { roles: 'admin' },
      { scopes: 'a b' },
      { userId: '' },
      { claims: { roles: 'admin' } },
      { authenticatedAt: new Date(Number.NaN) },
    ];
    for (const spec of invalid)
      expect(() => kit.as(spec as PrincipalSpec), JSON.stringify(spec)).toThrow(TypeError);
    expect(() => kit.withToken('lost' as TokenCondition)).toThrow('must be one of expired, revoked');
    expect(() => kit.clock.advance(Number.NaN)).toThrow(TypeError);
  });
});

describe('execute', () => {
  it('execute takes variables as JSON and the name of the operation', async () => {
    const { kit } = createApp();
    const ada = kit.as({ userId: 'ada' });
    const document = 'query A($id: ID!) { own(id: $id) } query B { signedIn }';
    expect((await ada.execute(document, { id: 'ada' }, 'A')).data).toEqual({ own: 'own' });
    expect((await ada.execute(document, {}, 'B')).data).toEqual({ signedIn: 'signedIn' });
    const rejected = await ada.execute(document, { id: undefined }, 'A');
    expect(rejected).toMatchObject({ code: 'BAD_USER_INPUT', status: 400 });
  });

  it('execute takes parsed documents and string objects', async () => {
    const { kit } = createApp();
    const document = parse('{ open }');
    expect((await kit.anonymous.execute(document)).data).toEqual({ open: 'open' });
    expect((await kit.anonymous.execute(document)).data).toEqual({ open: 'open' });
    class TypedDocumentString extends String {}
    expect((await kit.anonymous.execute(new TypedDocumentString('{ open }'))).data).toEqual({ open: 'open' });
  });

  it.each([
    ['{', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('execute returns the error of the server for %s', async (query, code) => {
    const { kit } = createApp();
    expect(await kit.anonymous.execute(query)).toMatchObject({
      code,
      status: 400,
      data: undefined,
      denials: [],
    });
  });

  it('execute masks unexpected errors and returns them in unexpected', async () => {
    const { kit } = createApp();
    const result = await kit.anonymous.execute('{ fails open }');
    expect(result.data).toEqual({ fails: null, open: 'open' });
    expect(result.errors).toMatchObject([{ message: 'Unexpected error.', path: ['fails'] }]);
    expect(result.code).toBe('INTERNAL_SERVER_ERROR');
    expect(result.unexpected).toEqual([new Error('the database is away')]);
  });

  it('concurrent operations keep their own callers', async () => {
    const { kit } = createApp({ context: async (principal) => ({ seen: principal?.userId }) });
    const ids = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const results = await Promise.all(ids.map((userId) => kit.as({ userId }).execute('{ seen }')));
    expect(results.map(({ data }) => data.seen)).toEqual(ids);
  });
});

describe('the options', () => {
  it('onDenied null delivers the other fields', async () => {
    const { kit } = createApp({ onDenied: 'null' });
    const result = await kit.anonymous.execute('{ open signedIn }');
    expect(result).toMatchObject({
      status: 200,
      data: { open: 'open', signedIn: null },
      reason: 'MISSING_TOKEN',
    });
  });

  it('defaultAccess deny closes fields without a rule', async () => {
    const { kit } = createApp({ defaultAccess: 'deny' });
    expect(await kit.anonymous.execute('{ open }')).toBeDenied('MISSING_TOKEN', 'Query.open');
    expect(await kit.as().execute('{ open }')).toBeAllowed();
  });

  it('reportOnly allows denied fields and logs them', async () => {
    const logged: object[] = [];
    const { kit } = createApp({ reportOnly: true, log: { warn: (details) => logged.push(details) } });
    logged.length = 0; // warnings about the schema at the start are tested elsewhere
    expect(await kit.anonymous.execute('{ signedIn }')).toBeAllowed();
    expect(logged).toEqual([{ coordinate: 'Query.signedIn', reason: 'MISSING_TOKEN' }]);
  });

  it('introspection shows permitted types by default, and all types on request', async () => {
    const query = '{ __type(name: "PrivatePost") { name } }';
    expect((await createApp().kit.anonymous.execute(query)).data).toEqual({ __type: null });
    const { kit } = createApp({ introspection: 'all' });
    expect((await kit.anonymous.execute(query)).data).toEqual({ __type: { name: 'PrivatePost' } });
  });

  it('the context reaches resolvers and policies and cannot replace the principal', async () => {
    const forged = { principal: createApp().kit.as({ roles: ['admin'] }).principal, seen: 'it' };
    const contexts: unknown[] = [];
    const { kit } = createApp({
      context: forged,
      policies: {
        owner({ context }) {
          contexts.push(context);
          return true;
        },
      },
    });
    expect((await kit.anonymous.execute('{ seen }')).data).toEqual({ seen: 'it' });
    expect(await kit.anonymous.execute('{ payroll }')).toBeDenied('MISSING_TOKEN');
    await kit.as({ userId: 'bob' }).execute('{ own(id: 1) }');
    expect(contexts).toMatchObject([{ seen: 'it', principal: { userId: 'bob' }, tokenProblem: undefined }]);
  });

  it('an error of the context function reaches the test', async () => {
    const { kit } = createApp({ context: () => Promise.reject(new Error('no tenant')) });
    await expect(kit.as().execute('{ open }')).rejects.toThrow('no tenant');
    await expect(kit.matrix({ open: '{ open }' }, { ada: {} })).rejects.toThrow('no tenant');
  });

  it('invalid options throw as they do for the guard', () => {
    expect(() => createApp({ onDenied: 'nul' as 'null' })).toThrow('onDenied: must be one of');
    expect(() => createApp({ policies: {} })).toThrow('Query.own: no policy has the name "owner"');
  });
});

describe('subscribe', () => {
  it('subscribe returns the events and closes the source', async () => {
    const { kit } = createApp();
    const subscription = await kit.as().subscribe('subscription { ticks }');
    expect(subscription).toBeAllowed();
    expect((await subscription.next()).value).toMatchObject({ data: { ticks: 1 }, denials: [] });
    await subscription.return?.();
    expect((await subscription.next()).done).toBe(true);
  });

  it('subscribe returns the denial, and its iterator rejects', async () => {
    const { kit, calls } = createApp();
    const subscription = await kit.anonymous.subscribe('subscription { ticks }');
    expect(subscription).toBeDenied('MISSING_TOKEN', 'Subscription.ticks');
    const [error] = subscription.errors ?? [];
    await expect(subscription.next()).rejects.toThrow(`The subscription was rejected: ${error?.message}`);
    expect(calls).toEqual([]);
  });

  it('a subscription ends when the clock reaches the expiry of its token', async () => {
    const { kit } = createApp();
    const exp = kit.clock.now.getTime() / 1000 + 600;
    const subscription = await kit.as({ claims: { exp } }).subscribe('subscription { ticks }');
    await subscription.next();
    const last = subscription.next();
    kit.clock.advance(600);
    expect((await last).value).toBeDenied('TOKEN_EXPIRED');
    expect((await subscription.next()).done).toBe(true);
  });

  it('execute rejects an allowed subscription and returns the denial of another', async () => {
    const { kit } = createApp();
    await expect(kit.as().execute('subscription { ticks }')).rejects.toThrow('use subscribe');
    expect(await kit.anonymous.execute('subscription { ticks }')).toBeDenied('MISSING_TOKEN');
  });
});

describe('the schema under test', () => {
  const findReason = async (user: TestUser) => (await user.execute('{ mine }')).reason ?? 'allowed';
  const own = 'type Query { mine: Int @auth }';

  it.each<[string, Parameters<typeof createTestKit>[0]]>([
    ['standalone types', { typeDefs: own }],
    ['types that define all directives', { typeDefs: [directiveTypeDefs, own] }],
    ['types that define some directives', { typeDefs: `directive @auth on FIELD_DEFINITION ${own}` }],
    [
      'parsed types in several documents',
      { typeDefs: [parse('type Query'), parse('extend type Query { mine: Int @auth }')] },
    ],
    ['a query type with another name', { typeDefs: 'schema { query: Root } type Root { mine: Int @auth }' }],
    ['types that extend Bandha’s', { typeDefs: 'extend type Query { mine: Int @auth }' }],
    ['an executable schema', { schema: makeExecutableSchema({ typeDefs: [directiveTypeDefs, own] }) }],
  ])('the schema under test can be %s', async (_, tested) => {
    const kit = createTestKit(tested);
    expect(await findReason(kit.anonymous)).toBe('MISSING_TOKEN');
    expect(await findReason(kit.as())).toBe('allowed');
  });

  it('a standalone schema keeps its own definitions of directives', () => {
    const typeDefs = 'directive @auth on FIELD_DEFINITION type Query { mine: Int @auth(roles: ["a"]) }';
    expect(() => createTestKit({ typeDefs })).toThrow('Unknown argument "roles" on directive "@auth"');
  });

  it('the schema has Bandha’s types only if it extends them', async () => {
    const viewer = '{ viewer { id } }';
    expect((await createTestKit({ typeDefs: own }).as().execute(viewer)).code).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    );
    expect(await createTestKit({}).as().execute(viewer)).toBeAllowed();
  });

  it('a server’s schema uses the clock and policies of the kit', async () => {
    const server = await startTestServer({
      typeDefs: 'extend type Query { recent: Int @auth(maxAge: 60) own: Int @auth(policies: [["owner"]]) }',
      policies: { owner: () => false },
    });
    const { schema } = server.bandha;
    expect(() => createTestKit({ schema })).toThrow('no policy has the name "owner"');
    const kit = createTestKit({ schema }, { policies: { owner: () => true } });
    const ada = kit.as();
    kit.clock.advance(61);
    expect(await ada.execute('{ recent }')).toBeDenied('REAUTHENTICATION_REQUIRED');
    expect(await ada.execute('{ own }')).toBeAllowed();
    await server.close();
  });

  it('closed sign-up removes register from the schema', async () => {
    const register = 'mutation { register(email: "a@b.c", password: "x") { tokenType } }';
    const kit = createTestKit({}, { signup: 'closed' });
    expect((await kit.anonymous.execute(register)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  });
});

describe('Bandha’s own fields', () => {
  const { as, anonymous, clock } = createTestKit({});

  it('viewer and secureData return the account that the test describes', async () => {
    const createdAt = new Date('2026-01-31T12:00:00Z');
    const ada = as({ userId: 'ada', roles: ['admin'], user: { email: 'ada@example.org', createdAt } });
    const { data } = await ada.execute(
      '{ viewer { id email roles createdAt } secureData { message user { id } } }',
    );
    expect(data).toEqual({
      viewer: {
        id: 'ada',
        email: 'ada@example.org',
        roles: ['admin'],
        createdAt: '2026-01-31T12:00:00.000Z',
      },
      secureData: { message: 'Secure data access granted', user: { id: 'ada' } },
    });
    expect((await anonymous.execute('{ viewer { id } }')).data).toEqual({ viewer: null });
  });

  it('two users with one id have separate default accounts', async () => {
    const query = '{ viewer { id email roles createdAt } }';
    const createdAt = clock.now.toISOString();
    const account = { id: 'user', email: 'user@example.com', createdAt };
    expect((await as().execute(query)).data.viewer).toEqual({ ...account, roles: [] });
    expect((await as({ roles: ['a'] }).execute(query)).data.viewer).toEqual({ ...account, roles: ['a'] });
  });

  it.each([
    ['register', 'mutation { register(email: "a@b.c", password: "x") { tokenType } }'],
    ['logIn', 'mutation { login(email: "a@b.c", password: "x") { tokenType } }'],
    ['refresh', 'mutation { refresh(refreshToken: "x") { tokenType } }'],
    ['logOut', 'mutation { logout }'],
    ['revokeSession', 'mutation { revokeSession(id: "x") }'],
    ['revokeAllSessions', 'mutation { logoutEverywhere }'],
    ['listSessions', '{ sessions { id } }'],
  ])('a field that needs accounts.%s throws an error with the fix', async (method, query) => {
    await expect(as().execute(query)).rejects.toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        message: expect.stringMatching(new RegExp(`^accounts.${method}: .*sqlite::memory:`)),
      }),
    );
  });

  it('a denied field is rejected before it needs a store', async () => {
    expect(await anonymous.execute('mutation { logoutEverywhere }')).toBeDenied('MISSING_TOKEN');
  });

  it('the accounts option replaces single methods', async () => {
    const kit = createTestKit({}, { accounts: { revokeAllSessions: async () => 3 } });
    expect((await kit.as().execute('mutation { logoutEverywhere }')).data).toEqual({ logoutEverywhere: 3 });
    expect((await kit.as().execute('{ viewer { id } }')).data).toEqual({ viewer: { id: 'user' } });
    const withoutUsers = createTestKit({}, { accounts: { findUser: async () => undefined } });
    expect((await withoutUsers.as().execute('{ viewer { id } }')).data).toEqual({ viewer: null });
  });

  it.each([
    [{ findAccount: async () => undefined }, 'accounts.findAccount: is not an account function'],
    [{ findUser: 5 }, 'accounts.findUser: must be a function'],
  ])('the accounts option rejects %o', (accounts, message) => {
    // Cast: JavaScript can pass any value.
    expect(() => createTestKit({}, { accounts: accounts as unknown as TestKitOptions['accounts'] })).toThrow(
      message,
    );
  });
});
