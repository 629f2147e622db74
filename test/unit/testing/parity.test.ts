// The results of the kit equal those of a server over HTTP with real tokens.
import { createSchema, createYoga } from 'graphql-yoga';
import { decodeJwt, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVerifier, directiveTypeDefs, useTokenAuth } from '../../../src/index.ts';
import { createTestKit, type TestKit, type TestResult, type TestUser } from '../../../src/testing/index.ts';
import { createSender } from '../../support/guarded-app.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { GOOD_PASSWORD, register, startTestServer, type TestServer } from '../../support/test-server.ts';

const SILENT = { warn() {} };
const ACCEPT = { accept: 'application/graphql-response+json' };

const typeDefs = /* GraphQL */ `
  ${secureDataTypeDefs}
  extend type Query {
    hello(name: String = "world"): String!
    admins: String @auth(roles: ["admin"])
    strict: String! @auth(roles: ["admin"])
    scoped: String @auth(scopes: [["read", "list"]])
    recent: String @auth(maxAge: 300)
    own(id: ID, deep: Deep): String @auth(policies: [["owner"]])
    nodes: [Node!]
    things: [Thing]
    me: Me
    forbidden: String
    fails: String
    failsHard: String!
  }
  input Deep { day: DateTime! }
  interface Node { id: ID! title: String }
  type Page implements Node { id: ID! title: String }
  type Draft implements Node @auth(roles: ["admin"]) { id: ID! title: String }
  union Thing = Page | Paid
  type Paid @auth(policies: [["owner"]]) { id: ID! }
  type Me @auth { name: String secret: String @auth(roles: ["admin"]) }
  extend type Mutation { touch: Int! @auth drop: Me @auth(roles: ["admin"]) }
`;
const fails = () => Promise.reject(new Error('inside'));
const secureData = createSecureDataResolvers();
const resolvers = {
  ...secureData,
  Query: {
    ...secureData.Query,
    hello: (_: unknown, { name }: { name: string }) => `hello ${name}`,
    ...{ admins: () => 'a', strict: () => 's', scoped: () => 's', recent: () => 'r', own: () => 'mine' },
    nodes: () => [
      { __typename: 'Page', id: 1, title: 'one' },
      { __typename: 'Draft', id: 2, title: 'two' },
    ],
    things: () => [
      { __typename: 'Paid', id: 1 },
      { __typename: 'Page', id: 2 },
    ],
    me: (_: unknown, __: unknown, { principal }: { principal: { userId: string } | null }) => ({
      name: principal?.userId,
      secret: 'x',
    }),
    fails,
    failsHard: fails,
  },
  Mutation: { touch: () => 1, drop: () => ({ name: 'x' }) },
};
const policies = { owner: ({ args }: { args: { id?: unknown } }) => args.id === 'mine' };

const OPERATIONS: readonly (string | [string, Record<string, unknown>])[] = [
  '{ hello }',
  '{ hello(name: "Ada “quoted” \\u00e9") }',
  '{ viewer { id email roles createdAt } }',
  '{ secureData { message user { id email roles createdAt } } }',
  '{ a: secureData { message } hello b: secureData { message } }',
  '{ ...F } fragment F on Query { hello admins scoped recent }',
  '{ admins strict }',
  '{ hello strict }',
  '{ scoped }',
  '{ recent hello }',
  '{ own(id: "mine") }',
  '{ own(id: "theirs") hello }',
  ['query ($id: ID) { own(id: $id) }', { id: 'mine' }],
  ['query ($id: ID) { own(id: $id) }', { id: new URL('urn:converted-to-json') }],
  ['query ($d: Deep) { own(id: "mine", deep: $d) }', { d: { day: new Date('2026-01-31T12:00:00Z') } }],
  ['query ($d: Deep) { own(id: "mine", deep: $d) }', { d: { day: 'never' } }],
  ['query ($id: ID!) { own(id: $id) }', {}],
  ['query ($v: Boolean!) { hello admins @skip(if: $v) }', { v: true }],
  ['query ($v: Boolean!) { hello admins @skip(if: $v) }', { v: false }],
  '{ nodes { id title } }',
  '{ nodes { id ... on Draft { title } } hello }',
  '{ things { ... on Paid { id } ... on Page { id } } }',
  '{ me { name } }',
  '{ me { name secret } }',
  'mutation { touch }',
  'mutation { touch drop { name } }',
  'mutation { drop { __typename } }',
  '{ fails hello }',
  '{ failsHard }',
  '{ fails admins }',
  '{ __typename }',
  '{ __schema { queryType { fields { name } } } }',
  '{ __type(name: "Draft") { name fields { name description } } }',
  '{ __schema { queryType { name } } hello }',
  '{ nothing }',
  '{ helo }',
  `{ ${Array.from({ length: 101 }, (_, index) => `a${index}: hello`).join(' ')} }`,
  `${'{ me '.repeat(201)}{ name }${'}'.repeat(201)}`,
  '{ hello',
  'query A { hello } query B { hello }',
  'mutation { logoutEverywhere @include(if: false) touch }',
  '{ hello(name: 1) }',
];
const CALLERS = ['anonymous', 'ada', 'admin', 'late', 'expired', 'revoked', 'forged', 'malformed'] as const;
type Caller = (typeof CALLERS)[number];

const OPTIONS = [
  {},
  { onDenied: 'null' },
  { defaultAccess: 'deny' },
  { reportOnly: true },
] as const satisfies Parameters<typeof startTestServer>[0][];

describe.each(OPTIONS)('with %j', (options) => {
  let server: TestServer;
  let kit: TestKit;
  let tokens: Record<Caller, string | undefined>;
  let users: Record<Caller, TestUser>;

  /** Creates the kit's user for a token. */
  async function createUser(token: string): Promise<TestUser> {
    const { sub = '', sid, auth_time = 0, ...claims } = decodeJwt<{ sid: string; auth_time: number }>(token);
    const user = await server.bandha.accounts.findUser(sub);
    return kit.as({
      userId: sub,
      sessionId: sid,
      authenticatedAt: new Date(auth_time * 1000),
      claims,
      ...(user && { user }),
    });
  }

  beforeAll(async () => {
    const admin = { email: 'root@example.com', password: GOOD_PASSWORD };
    // In production introspection shows what the caller is permitted to use, as in the kit.
    const introspection = { production: true, graphiql: true };
    server = await startTestServer({ typeDefs, resolvers, policies, admin, ...introspection, ...options });
    const signIn = async () => (await register(server.url)).accessToken;
    const client = { userAgent: undefined, ipAddress: undefined };
    const expired = await signIn();
    server.clock.now = new Date(server.clock.now.getTime() + 300_000);
    const late = await signIn();
    server.clock.now = new Date(server.clock.now.getTime() + 301_000);
    const [ada, revoked] = [await signIn(), await signIn()];
    await server.send('mutation { logoutEverywhere }', { token: revoked });
    tokens = {
      ...{ anonymous: undefined, ada, late, expired, revoked, malformed: 'garbage' },
      admin: (await server.bandha.accounts.logIn(admin, client)).accessToken,
      forged: `${ada.slice(0, -12)}${'A'.repeat(12)}`,
    };
    kit = createTestKit({ typeDefs, resolvers }, { policies, log: SILENT, ...options });
    kit.clock.now = server.clock.now;
    users = {
      anonymous: kit.anonymous,
      ada: await createUser(ada),
      late: await createUser(late),
      admin: await createUser(tokens.admin ?? ''),
      expired: kit.withToken('expired'),
      revoked: kit.withToken('revoked'),
      forged: kit.withToken('forged'),
      malformed: kit.withToken('malformed'),
    };
  });
  afterAll(() => server.close());

  it.each(CALLERS)('the kit and the server give the same response to the caller %s', async (caller) => {
    const reasons = new Set<string | undefined>();
    for (const operation of OPERATIONS) {
      const [query, variables] = typeof operation === 'string' ? [operation] : operation;
      const token = tokens[caller];
      const response = await server.send(query, { variables, headers: ACCEPT, ...(token && { token }) });
      const result: TestResult = await users[caller].execute(query, variables);
      const actual = { status: result.status, body: result.body, challenge: findChallenge(result.headers) };
      const { status, body, headers } = response;
      expect(actual, `${query} ${JSON.stringify(variables)}`).toEqual({
        status,
        body,
        challenge: findChallenge(headers),
      });
      reasons.add(result.reason);
    }
    // Checks that the caller has met the denial it is there for.
    if (!('reportOnly' in options)) expect(reasons).toContain(REASONS[caller]);
  });
});

const REASONS: Record<Caller, string> = {
  ...{
    anonymous: 'MISSING_TOKEN',
    ada: 'MISSING_ROLE',
    admin: 'POLICY_DENIED',
    late: 'REAUTHENTICATION_REQUIRED',
  },
  ...{
    expired: 'TOKEN_EXPIRED',
    revoked: 'TOKEN_REVOKED',
    forged: 'TOKEN_INVALID',
    malformed: 'TOKEN_MALFORMED',
  },
};

function findChallenge(headers: Headers) {
  return [headers.get('www-authenticate'), headers.get('retry-after')];
}

describe('a standalone schema with tokens of another issuer', () => {
  const own =
    'type Query { open: Int list: Int @auth(scopes: [["list", "read"], ["all"]]) both: Int @auth(roles: ["a"], scopes: [["all"]]) }';
  const ownResolvers = { Query: { open: () => 1, list: () => 2, both: () => 3 } };
  const ISSUER = 'https://issuer.example';

  it.each<[string[], string[]]>([
    [[], []],
    [[], ['list']],
    [[], ['read', 'list']],
    [[], ['all', 'other']],
    [['a'], []],
    [['a', 'b'], ['all']],
  ])('the kit and the server give the same response to roles %j and scopes %j', async (roles, scopes) => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA');
    const token = await new SignJWT({ roles, scope: scopes.join(' '), auth_time: 0 })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setAudience('api')
      .setSubject('ada')
      .setExpirationTime('5m')
      .sign(privateKey);
    const verifier = createVerifier({ issuer: ISSUER, audience: 'api', keys: async () => publicKey });
    const schema = createSchema({ typeDefs: [directiveTypeDefs, own], resolvers: ownResolvers });
    const yoga = createYoga({ schema, plugins: [useTokenAuth({ verifier })], logging: false });
    const ask = createSender({
      fetch: (url, { headers, ...init }) =>
        yoga.fetch(url, { ...init, headers: { ...headers, ...ACCEPT, authorization: `Bearer ${token}` } }),
    });
    const kit = createTestKit({ typeDefs: own, resolvers: ownResolvers }, { introspection: 'all' });
    const ada = kit.as({ userId: 'ada', roles, scopes });
    for (const query of ['{ open }', '{ list }', '{ open both }', '{ list both }']) {
      const { status, body, headers } = await ask(query);
      const result = await ada.execute(query);
      expect({ status: result.status, body: result.body }, query).toEqual({ status, body });
      expect(findChallenge(result.headers)).toEqual(findChallenge(headers));
    }
  });
});
