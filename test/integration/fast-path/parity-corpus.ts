// A schema with all kinds of fields, the operations of the parity tests, and a pair of servers to compare: the fast path and Yoga.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bandha, type BandhaOptions, createBandha } from '../../../src/bandha.ts';
import { silentLog } from '../../../src/utils/log.ts';
import { parseResponse, type RawResponse, sendBytes } from '../../support/raw-request.ts';
import { createSecureDataResolvers, secureDataTypeDefs } from '../../support/secure-data.ts';
import { GOOD_PASSWORD, TEST_SECRET } from '../../support/test-server.ts';

export const typeDefs = /* GraphQL */ `
  ${secureDataTypeDefs}
  extend type Query {
    hello(name: String = "world"): String!
    add(numbers: [Int!]!): Int!
    pick(choice: Choice): String
    node(id: ID!): Node
    nodes: [Node!]!
    things: [Thing!]!
    later: String
    lazy: Lazy
    fails: String
    failsHard: String!
    failsLate: [String]
    slow: String
    admins: String @auth(roles: ["admin"])
    scoped: String @auth(scopes: [["read", "write"]])
    recent: String @auth(maxAge: 300)
    policed(allow: Boolean!): String @auth(policies: [["allowed"]])
    secrets: [Secret!]
    anything: Anything
    me: Person
  }
  scalar Anything
  type Person { a: Person  b: Person  name: String }
  extend type Mutation { touch(times: Int): Int! }
  enum Choice { ONE TWO }
  interface Node { id: ID! title: String }
  type Post implements Node { id: ID! title: String body: String! }
  type Draft implements Node @auth(roles: ["editor"]) { id: ID! title: String }
  union Thing = Post | Secret
  type Secret @auth { code: String! }
  type Lazy { plain: String promise: String call: String nothing: String! }
`;
const post = (id: string) => ({ __typename: 'Post', id, title: `Post ${id}`, body: 'text' });
const secureData = createSecureDataResolvers();
export const resolvers = {
  ...secureData,
  Query: {
    ...secureData.Query,
    hello: (_: unknown, { name }: { name: string }) => `hello ${name}`,
    add: (_: unknown, { numbers }: { numbers: number[] }) => numbers.reduce((sum, one) => sum + one, 0),
    pick: (_: unknown, { choice }: { choice?: string }) => choice,
    node: (_: unknown, { id }: { id: string }) =>
      id === 'draft' ? { __typename: 'Draft', id, title: 'hidden' } : post(id),
    nodes: () => [post('1'), { __typename: 'Draft', id: '2', title: 'hidden' }, post('3')],
    things: () => [post('1'), { __typename: 'Secret', code: 'x' }],
    later: () => Promise.resolve('later'),
    lazy: () => ({ plain: 'a', promise: Promise.resolve('b'), call: () => 'c', nothing: null }),
    fails: () => {
      throw new Error('inside');
    },
    failsHard: () => Promise.reject(new Error('inside')),
    failsLate: () => ['a', Promise.reject(new Error('inside')), 'c'],
    slow: () => new Promise((resolve) => setTimeout(() => resolve('slow'), 5)),
    admins: () => 'admins',
    scoped: () => 'scoped',
    recent: () => 'recent',
    policed: () => 'policed',
    secrets: () => [{ code: '1' }],
    anything: () => 10n, // JSON cannot represent a BigInt
    me: () => ({ name: 'Ada', a: { name: 'Bob' } }),
  },
  Mutation: { touch: (_: unknown, { times = 1 }: { times?: number }) => times },
};

export const QUERIES: readonly string[] = [
  '{ secureData { message } }',
  '{ secureData { message user { email roles createdAt } } }',
  '{ viewer { id email } }',
  '{ a: secureData { message } b: secureData { m: message } }',
  '{ ...F } fragment F on Query { secureData { ...S } } fragment S on SecureData { message }',
  'query Q($skip: Boolean = false) { secureData @skip(if: $skip) { message } hello }',
  '{ hello }',
  '{ hello(name: "Ada “quoted” \\u00e9") }',
  '{ add(numbers: [1, 2, 3]) }',
  '{ pick(choice: ONE) }',
  '{ pick(choice: THREE) }',
  '{ nodes { id title } }',
  '{ nodes { __typename id ... on Post { body } } }',
  '{ node(id: "draft") { id title } }',
  '{ things { ... on Post { id } ... on Secret { code } } }',
  '{ secrets { code } hello }',
  '{ later slow }',
  '{ lazy { plain promise call } }',
  '{ lazy { plain nothing } hello }',
  '{ anything }',
  `{ me { ...F0 } } ${Array.from({ length: 12 }, (_, i) => `fragment F${i} on Person { name a { ...F${i + 1} } b { ...F${i + 1} } }`).join(' ')} fragment F12 on Person { name }`,
  '{ fails hello }',
  '{ failsHard hello }',
  '{ failsLate }',
  '{ admins }',
  '{ scoped }',
  '{ recent }',
  '{ policed(allow: true) }',
  '{ policed(allow: false) }',
  '{ __typename }',
  '{ __schema { queryType { name } } }',
  '{ __type(name: "User") { name fields { name } } }',
  '{ hello __schema { queryType { name } } }',
  'mutation { touch }',
  'mutation { touch(times: 3) }',
  'mutation { login(email: "nobody@example.com", password: "wrong") { tokenType } }',
  'mutation { refresh(refreshToken: "garbage") { tokenType } }',
  'mutation { register(email: "nonsense", password: "x") { tokenType } }',
  'mutation { logout(refreshToken: "garbage") }',
  'mutation { revokeSession(id: "00000000-0000-4000-8000-000000000000") }',
  'subscription { nothing }',
  '{ secureData { message ...@defer { user { email } } } }',
  '{ secureData }',
  '{ unknownField }',
  '{ secureData { message ',
  '',
  '   ',
  '# nothing',
  '{ hello } { hello }',
  'query A { hello } query B { secureData { message } }',
  `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: hello`).join(' ')} }`,
  `{ ${Array.from({ length: 99 }, (_, i) => `a${i}: hello`).join(' ')} }`,
];

export interface ServerPair {
  bandha: Bandha;
  /** Access token of a signed-in user. */
  token: string;
  /** Access token of a revoked session. */
  revoked: string;
  ports: Record<'fastPath' | 'yoga', number>;
  /** Sends the same bytes to both servers. */
  sendToBoth(bytes: Buffer): Promise<Record<'fastPath' | 'yoga', RawResponse>>;
  close(): Promise<void>;
}

/** @param listeners of the two servers. @default Bandha's own listener and Yoga server */
export async function startServerPair(
  options: BandhaOptions = {},
  listeners = (bandha: Bandha): Record<'fastPath' | 'yoga', RequestListener> => ({
    fastPath: bandha.listener,
    yoga: bandha.yoga,
  }),
): Promise<ServerPair> {
  const bandha = await createBandha({
    databaseUrl: 'sqlite::memory:',
    secret: TEST_SECRET,
    log: silentLog,
    typeDefs,
    resolvers,
    policies: { allowed: ({ args }) => args.allow === true },
    ...options,
  });
  const { fastPath, yoga } = listeners(bandha);
  const pair = [fastPath, yoga].map((listener) => createServer(listener).listen(0, '127.0.0.1'));
  await Promise.all(pair.map((server) => once(server, 'listening')));
  const [fastPathPort = 0, yogaPort = 0] = pair.map((server) => (server.address() as AddressInfo).port); // TCP servers that listen have one
  const client = { userAgent: undefined, ipAddress: undefined };
  const signUp = (email: string) => bandha.accounts.register({ email, password: GOOD_PASSWORD }, client);
  const { accessToken: token } = await signUp('ada@example.com');
  const signedOut = await signUp('bob@example.com');
  await bandha.accounts.logOut({ refreshToken: signedOut.refreshToken, principal: null });
  return {
    bandha,
    token,
    revoked: signedOut.accessToken,
    ports: { fastPath: fastPathPort, yoga: yogaPort },
    async sendToBoth(bytes) {
      const [fastPath = '', yoga = ''] = await Promise.all(
        [fastPathPort, yogaPort].map((port) => sendBytes(port, [bytes])),
      );
      return { fastPath: parseResponse(fastPath), yoga: parseResponse(yoga) };
    },
    async close() {
      for (const server of pair) server.close();
      await bandha.close();
    },
  };
}
