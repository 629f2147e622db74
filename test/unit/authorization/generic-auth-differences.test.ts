// Differences between @envelop/generic-auth 11 and the guard, each shown with one schema and one operation for both.
import { type GenericAuthPluginOptions, POLICY_DIRECTIVE_SDL, useGenericAuth } from '@envelop/generic-auth';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { createYoga, type Plugin } from 'graphql-yoga';
import { expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createPrincipal, useCaller } from '../../support/guarded-app.ts';

const ADA = createPrincipal({ scopes: new Set(['read']) });
const SILENT = { warn() {} };

const POSTS = [
  { __typename: 'PublicPost', id: 1, title: 'one' },
  { __typename: 'PrivatePost', id: 2, title: 'two' },
];
const DATA: Record<string, unknown> = {
  ...{ open: 'o', secret: 's', scoped: 's', governed: 'g', posts: POSTS, strictPosts: POSTS },
  ...{ stamped: { at: 1 }, noted: { note: 'n' }, deleteUser: { id: 1 }, box: { open: 'o', secret: 's' } },
};

interface Setting {
  types: string;
  directives?: string;
  /** Signed in as Ada, who has the scope `read`; anonymous otherwise. */
  signedIn?: boolean;
  generic?: object;
  guard?: GuardOptions;
}

function createServer({ types, directives = directiveTypeDefs }: Setting, plugins: Plugin[]) {
  const calls: string[] = [];
  const schema = mapSchema(makeExecutableSchema({ typeDefs: [directives, types] }), {
    [MapperKind.OBJECT_FIELD]: (config, field, type) => ({
      ...config,
      resolve: (source) => {
        calls.push(`${type}.${field}`);
        return (source ?? DATA)[field];
      },
      ...(type === 'Subscription' && {
        async *subscribe() {
          yield { ticks: { open: 'o', secret: 's' } };
        },
      }),
    }),
  });
  const yoga = createYoga({ schema, plugins, logging: false });
  async function send(query: string, members: object = {}, accept = 'application/json') {
    const response = await yoga.fetch('http://yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, ...members }),
    });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
  }
  return { send, calls };
}

/** Creates two servers with the same schema: one with @envelop/generic-auth, one with the guard. */
function setUp(setting: Setting) {
  const { signedIn = false, generic = {}, guard = {} } = setting;
  const options = {
    mode: 'protect-granular',
    resolveUserFn: () => (signedIn ? { scope: ['read'] } : null),
    ...generic,
  } as GenericAuthPluginOptions<{ scope: string[] }>; // cast: each mode has a type of its own
  return {
    // cast: the plugin types of Envelop and Yoga differ only in the context
    theirs: createServer(setting, [useGenericAuth(options) as Plugin]),
    ours: createServer(setting, [useCaller(signedIn ? ADA : null), useGuard({ log: SILENT, ...guard })]),
  };
}

type ServerResponse = Awaited<ReturnType<ReturnType<typeof createServer>['send']>>;
const reasonsIn = ({ body }: ServerResponse): string[] =>
  (body.errors ?? []).map(({ extensions }: { extensions: { reason: string } }) => extensions.reason);

function expectRejected(response: ServerResponse, status: number, reason: string) {
  expect(response.status).toBe(status);
  expect(response.body).not.toHaveProperty('data');
  expect(new Set(reasonsIn(response))).toEqual(new Set([reason]));
}

const POST_TYPES = `
  interface Post { id: ID title: String }
  type PublicPost implements Post { id: ID title: String }
  type PrivatePost implements Post @authenticated { id: ID title: String! }
  type Query { posts: [Post] }
`;
const FIELD_TYPES = 'type Query { open: String secret: String @authenticated }';
const PARTIAL = { generic: { rejectUnauthenticated: false }, guard: { onDenied: 'null' as const } };

it('G1: an interface selection reads a protected type; the guard denies it', async () => {
  const { theirs, ours } = setUp({ types: POST_TYPES });
  const query = '{ posts { id title } }';
  expect((await theirs.send(query)).body).toEqual({
    data: {
      posts: [
        { id: '1', title: 'one' },
        { id: '2', title: 'two' },
      ],
    },
  });
  expect(theirs.calls).toContain('PrivatePost.title');
  const { body } = await ours.send(query);
  expect(body.data).toEqual({ posts: [{ id: '1', title: 'one' }, null] });
  expect(ours.calls).not.toContain('PrivatePost.title');
});

it.each([
  [
    'type',
    'interface Stamp @authenticated { at: Int } type Stamped implements Stamp { at: Int } type Query { stamped: Stamped }',
    '{ stamped { at } }',
    'Stamped.at',
  ],
  [
    'field',
    'interface Noted { note: String @authenticated } type Note implements Noted { note: String } type Query { noted: Note }',
    '{ noted { note } }',
    'Note.note',
  ],
])(
  'G2: a rule on an interface’s %s binds no implementation; in the guard it does',
  async (_, types, query, coordinate) => {
    const { theirs, ours } = setUp({ types });
    expect((await theirs.send(query)).body.errors).toBeUndefined();
    expect(theirs.calls).toContain(coordinate);
    expectRejected(await ours.send(query), 401, 'MISSING_TOKEN');
    expect(ours.calls).toEqual([]);
  },
);

it('G3: a mutation that returns a protected type runs; the guard rejects it', async () => {
  const { theirs, ours } = setUp({
    types:
      'type User @authenticated { id: ID } type Query { open: String } type Mutation { deleteUser: User }',
  });
  const query = 'mutation { deleteUser { __typename } }';
  expect((await theirs.send(query)).body).toEqual({ data: { deleteUser: { __typename: 'User' } } });
  expect(theirs.calls).toEqual(['Mutation.deleteUser']);
  expectRejected(await ours.send(query), 401, 'MISSING_TOKEN');
  expect(ours.calls).toEqual([]);
});

it('G4: a missing scope has the status 401; the guard sends 403', async () => {
  const { theirs, ours } = setUp({
    types: 'type Query { scoped: String @requiresScopes(scopes: [["write"]]) }',
    signedIn: true,
  });
  const response = await theirs.send('{ scoped }');
  expect(response.status).toBe(401);
  expect(response.body.errors[0].extensions).toEqual({ code: 'UNAUTHORIZED_FIELD_OR_TYPE' });
  expectRejected(await ours.send('{ scoped }'), 403, 'MISSING_SCOPE');
});

it('G5: a partial response has the status 401; the guard sends 200', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES, ...PARTIAL });
  const theirResponse = await theirs.send('{ open secret }');
  const ourResponse = await ours.send('{ open secret }');
  expect([theirResponse.status, ourResponse.status]).toEqual([401, 200]);
  expect(theirResponse.body.data).toEqual({ open: 'o', secret: null });
  expect(ourResponse.body.data).toEqual({ open: 'o', secret: null });
  expect(reasonsIn(ourResponse)).toEqual(['MISSING_TOKEN']);
});

it.each([
  [
    'in every item of a list',
    'strictPosts',
    [
      { id: '1', secret: null },
      { id: '2', secret: null },
    ],
    {},
  ],
  ['outside a nullable list', 'posts', [{ id: '1' }, { id: '2' }], { '@': { posts: { secret: null } } }],
])('G6: a denied non-null field is null %s; in the guard null propagates', async (_, field, posts, more) => {
  const types = `${POST_TYPES} extend type Query { strictPosts: [Post]! }`;
  const { theirs, ours } = setUp({ types, ...PARTIAL });
  const query = `{ ${field} { id ... on PrivatePost { secret: title } } }`;
  expect((await theirs.send(query)).body.data).toEqual({ [field]: posts, ...more });
  const { body } = await ours.send(query);
  expect(body.data).toEqual({ [field]: [{ id: '1' }, null] });
  expect(body.errors[0].path).toEqual([field, 1]);
});

it('G7: a subscription with a denied field fails; the guard delivers its events', async () => {
  const { theirs, ours } = setUp({
    types: `
      type Tick { open: String secret: String @authenticated }
      type Query { open: String }
      type Subscription { ticks: Tick }
    `,
    ...PARTIAL,
  });
  const query = 'subscription { ticks { open secret } }';
  const theirResponse = await theirs.send(query, {}, 'text/event-stream');
  expect(theirResponse.text).not.toContain('"open":"o"');
  const ourResponse = await ours.send(query, {}, 'text/event-stream');
  expect(ourResponse.text).toContain('"data":{"ticks":{"open":"o","secret":null}}');
  expect(ours.calls).not.toContain('Tick.secret');
});

it('G8: a rejected operation has a data key; with the guard it has none', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES });
  expect((await theirs.send('{ secret }')).body).toHaveProperty('data', null);
  expect(theirs.calls).toEqual([]);
  expectRejected(await ours.send('{ secret }'), 401, 'MISSING_TOKEN');
});

it('G10: a protected operation blocks its open sibling; the guard runs it', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES });
  const query = 'query A { open } query B { secret }';
  expect((await theirs.send(query, { operationName: 'A' })).status).toBe(401);
  expect((await ours.send(query, { operationName: 'A' })).body).toEqual({ data: { open: 'o' } });
  expectRejected(await ours.send(query, { operationName: 'B' }), 401, 'MISSING_TOKEN');
});

it.each([
  ['a fragment', '{ open ... @include(if: false) { secret } }', { open: 'o' }, {}],
  ['a field by a literal, without variables', '{ open secret @skip(if: true) }', { open: 'o' }, undefined],
  [
    'a field by a variable, below it',
    'query ($no: Boolean!) { open box @include(if: $no) { secret } }',
    { open: 'o' },
    { no: false },
  ],
])('G11: @skip and @include do not exclude %s; in the guard they do', async (_, query, data, variables) => {
  const { theirs, ours } = setUp({
    types: `type Box { open: String secret: String @authenticated }
      type Query { open: String secret: String @authenticated box: Box }`,
  });
  expect((await theirs.send(query, { variables })).status).toBe(401);
  expect((await ours.send(query, { variables })).body).toEqual({ data });
});

it('G12: the exported @policy SDL fails per request; the guard rejects it at start', async () => {
  const types = 'type Query { governed: String @policy(policies: ["owner"]) }';
  const generic = { extractPolicies: () => ['owner'] };
  const theirs = createServer({ types, directives: POLICY_DIRECTIVE_SDL }, [
    useGenericAuth({ mode: 'protect-granular', resolveUserFn: () => ({ scope: [] }), ...generic }) as Plugin,
  ]);
  const { status, body } = await theirs.send('{ governed }');
  expect(status).toBe(500);
  expect(body.errors[0].message).toBe('Unexpected error.');
  expect(theirs.calls).toEqual([]);
  const setting = { types, directives: POLICY_DIRECTIVE_SDL };
  expect(() => createServer(setting, [useGuard({ policies: { owner: () => true } })])).toThrow(
    'Query.governed: @policy policies: must be a list of lists of strings',
  );
});

it('G13: fetchPolicies is ignored; the guard rejects an undefined policy', async () => {
  const types = 'type Query { governed: String @policy(policies: [["owner"]]) }';
  const { theirs } = setUp({
    types,
    signedIn: true,
    generic: { fetchPolicies: () => ['owner'] },
    guard: { policies: { owner: () => true } },
  });
  expect((await theirs.send('{ governed }')).status).toBe(401);
  expect(() => createServer({ types }, [useGuard({ policies: { ovner: () => true } })])).toThrow(
    'Query.governed: no policy has the name "owner"',
  );
});

it('G16: protect-all allows anonymous introspection; default deny does not', async () => {
  const { theirs, ours } = setUp({
    types: 'type Query { open: String }',
    generic: { mode: 'protect-all' },
    guard: { defaultAccess: 'deny' },
  });
  const query = '{ __schema { queryType { name } } }';
  expect((await theirs.send(query)).body).toEqual({ data: { __schema: { queryType: { name: 'Query' } } } });
  expectRejected(await ours.send(query), 401, 'MISSING_TOKEN');
  expect((await theirs.send('{ open }')).status).toBe(401);
  expectRejected(await ours.send('{ open }'), 401, 'MISSING_TOKEN');
});
