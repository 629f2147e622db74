// What @envelop/generic-auth 11 does with a schema and an operation, and what the guard does with the same.
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
  async function ask(query: string, more: object = {}, accept = 'application/json') {
    const response = await yoga.fetch('http://yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, ...more }),
    });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
  }
  return { ask, calls };
}

/** One schema behind both. */
function setUp(setting: Setting) {
  const { signedIn = false, generic = {}, guard = {} } = setting;
  const options = {
    mode: 'protect-granular',
    resolveUserFn: () => (signedIn ? { scope: ['read'] } : null),
    ...generic,
  } as GenericAuthPluginOptions<{ scope: string[] }>; // its modes are types of their own
  return {
    // envelop's plugin type and Yoga's differ in the context alone
    theirs: createServer(setting, [useGenericAuth(options) as Plugin]),
    ours: createServer(setting, [useCaller(signedIn ? ADA : null), useGuard({ log: SILENT, ...guard })]),
  };
}

type Answer = Awaited<ReturnType<ReturnType<typeof createServer>['ask']>>;
const reasonsIn = ({ body }: Answer): string[] =>
  (body.errors ?? []).map(({ extensions }: { extensions: { reason: string } }) => extensions.reason);

function expectRefused(answer: Answer, status: number, reason: string) {
  expect(answer.status).toBe(status);
  expect(answer.body).not.toHaveProperty('data');
  expect(new Set(reasonsIn(answer))).toEqual(new Set([reason]));
}

const POST_TYPES = `
  interface Post { id: ID title: String }
  type PublicPost implements Post { id: ID title: String }
  type PrivatePost implements Post @authenticated { id: ID title: String! }
  type Query { posts: [Post] }
`;
const FIELD_TYPES = 'type Query { open: String secret: String @authenticated }';
const PARTIAL = { generic: { rejectUnauthenticated: false }, guard: { onDenied: 'null' as const } };

it('G1: an interface selection lets an anonymous caller read a protected implementation, here it does not', async () => {
  const { theirs, ours } = setUp({ types: POST_TYPES });
  const query = '{ posts { id title } }';
  expect((await theirs.ask(query)).body).toEqual({
    data: {
      posts: [
        { id: '1', title: 'one' },
        { id: '2', title: 'two' },
      ],
    },
  });
  expect(theirs.calls).toContain('PrivatePost.title');
  const { body } = await ours.ask(query);
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
  'G2: a directive on an interface’s %s does not bind its implementations, here it does',
  async (_, types, query, coordinate) => {
    const { theirs, ours } = setUp({ types });
    expect((await theirs.ask(query)).body.errors).toBeUndefined();
    expect(theirs.calls).toContain(coordinate);
    expectRefused(await ours.ask(query), 401, 'MISSING_TOKEN');
    expect(ours.calls).toEqual([]);
  },
);

it('G3: a mutation that returns a protected type runs for an anonymous caller, here it does not', async () => {
  const { theirs, ours } = setUp({
    types:
      'type User @authenticated { id: ID } type Query { open: String } type Mutation { deleteUser: User }',
  });
  const query = 'mutation { deleteUser { __typename } }';
  expect((await theirs.ask(query)).body).toEqual({ data: { deleteUser: { __typename: 'User' } } });
  expect(theirs.calls).toEqual(['Mutation.deleteUser']);
  expectRefused(await ours.ask(query), 401, 'MISSING_TOKEN');
  expect(ours.calls).toEqual([]);
});

it('G4: a missing scope is answered like a missing sign-in, here it is 403', async () => {
  const { theirs, ours } = setUp({
    types: 'type Query { scoped: String @requiresScopes(scopes: [["write"]]) }',
    signedIn: true,
  });
  const answer = await theirs.ask('{ scoped }');
  expect(answer.status).toBe(401);
  expect(answer.body.errors[0].extensions).toEqual({ code: 'UNAUTHORIZED_FIELD_OR_TYPE' });
  expectRefused(await ours.ask('{ scoped }'), 403, 'MISSING_SCOPE');
});

it('G5: a partial answer has the status 401, here it has 200', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES, ...PARTIAL });
  const theirAnswer = await theirs.ask('{ open secret }');
  const ourAnswer = await ours.ask('{ open secret }');
  expect([theirAnswer.status, ourAnswer.status]).toEqual([401, 200]);
  expect(theirAnswer.body.data).toEqual({ open: 'o', secret: null });
  expect(ourAnswer.body.data).toEqual({ open: 'o', secret: null });
  expect(reasonsIn(ourAnswer)).toEqual(['MISSING_TOKEN']);
});

it.each([
  [
    'in every item of a list, whatever its type',
    'strictPosts',
    [
      { id: '1', secret: null },
      { id: '2', secret: null },
    ],
    {},
  ],
  [
    'beside the answer where the list may be null',
    'posts',
    [{ id: '1' }, { id: '2' }],
    { '@': { posts: { secret: null } } },
  ],
])(
  'G6: a denied non-null field is null %s, here null goes where GraphQL puts it',
  async (_, field, posts, more) => {
    const types = `${POST_TYPES} extend type Query { strictPosts: [Post]! }`;
    const { theirs, ours } = setUp({ types, ...PARTIAL });
    const query = `{ ${field} { id ... on PrivatePost { secret: title } } }`;
    expect((await theirs.ask(query)).body.data).toEqual({ [field]: posts, ...more });
    const { body } = await ours.ask(query);
    expect(body.data).toEqual({ [field]: [{ id: '1' }, null] });
    expect(body.errors[0].path).toEqual([field, 1]);
  },
);

it('G7: a partial subscription is given up whole, here its events come', async () => {
  const { theirs, ours } = setUp({
    types: `
      type Tick { open: String secret: String @authenticated }
      type Query { open: String }
      type Subscription { ticks: Tick }
    `,
    ...PARTIAL,
  });
  const query = 'subscription { ticks { open secret } }';
  const theirAnswer = await theirs.ask(query, {}, 'text/event-stream');
  expect(theirAnswer.text).not.toContain('"open":"o"');
  const ourAnswer = await ours.ask(query, {}, 'text/event-stream');
  expect(ourAnswer.text).toContain('"data":{"ticks":{"open":"o","secret":null}}');
  expect(ours.calls).not.toContain('Tick.secret');
});

it('G8: a refused operation has a data key as if it had begun, here it has none', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES });
  expect((await theirs.ask('{ secret }')).body).toHaveProperty('data', null);
  expect(theirs.calls).toEqual([]);
  expectRefused(await ours.ask('{ secret }'), 401, 'MISSING_TOKEN');
});

it('G10: an open operation is refused for its protected sibling, here it is not', async () => {
  const { theirs, ours } = setUp({ types: FIELD_TYPES });
  const query = 'query A { open } query B { secret }';
  expect((await theirs.ask(query, { operationName: 'A' })).status).toBe(401);
  expect((await ours.ask(query, { operationName: 'A' })).body).toEqual({ data: { open: 'o' } });
  expectRefused(await ours.ask(query, { operationName: 'B' }), 401, 'MISSING_TOKEN');
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
])(
  'G11: what @skip and @include leave out is refused with %s, here it is not',
  async (_, query, data, variables) => {
    const { theirs, ours } = setUp({
      types: `type Box { open: String secret: String @authenticated }
      type Query { open: String secret: String @authenticated box: Box }`,
    });
    expect((await theirs.ask(query, { variables })).status).toBe(401);
    expect((await ours.ask(query, { variables })).body).toEqual({ data });
  },
);

it('G12: the SDL exported for @policy fails at each request, here it fails at the start', async () => {
  const types = 'type Query { governed: String @policy(policies: ["owner"]) }';
  const generic = { extractPolicies: () => ['owner'] };
  const theirs = createServer({ types, directives: POLICY_DIRECTIVE_SDL }, [
    useGenericAuth({ mode: 'protect-granular', resolveUserFn: () => ({ scope: [] }), ...generic }) as Plugin,
  ]);
  const { status, body } = await theirs.ask('{ governed }');
  expect(status).toBe(500);
  expect(body.errors[0].message).toBe('Unexpected error.');
  expect(theirs.calls).toEqual([]);
  const setting = { types, directives: POLICY_DIRECTIVE_SDL };
  expect(() => createServer(setting, [useGuard({ policies: { owner: () => true } })])).toThrow(
    'Query.governed: @policy policies: must be a list of lists of strings',
  );
});

it('G13: policies given as its README says are ignored in silence, here a missing policy stops the start', async () => {
  const types = 'type Query { governed: String @policy(policies: [["owner"]]) }';
  const { theirs } = setUp({
    types,
    signedIn: true,
    generic: { fetchPolicies: () => ['owner'] },
    guard: { policies: { owner: () => true } },
  });
  expect((await theirs.ask('{ governed }')).status).toBe(401);
  expect(() => createServer({ types }, [useGuard({ policies: { ovner: () => true } })])).toThrow(
    'Query.governed: no policy has the name "owner"',
  );
});

it('G16: protect-all shows an anonymous caller the schema, here default: deny does not', async () => {
  const { theirs, ours } = setUp({
    types: 'type Query { open: String }',
    generic: { mode: 'protect-all' },
    guard: { defaultAccess: 'deny' },
  });
  const query = '{ __schema { queryType { name } } }';
  expect((await theirs.ask(query)).body).toEqual({ data: { __schema: { queryType: { name: 'Query' } } } });
  expectRefused(await ours.ask(query), 401, 'MISSING_TOKEN');
  expect((await theirs.ask('{ open }')).status).toBe(401);
  expectRefused(await ours.ask('{ open }'), 401, 'MISSING_TOKEN');
});
