// The guard in any Yoga server: no resolver of a denied field runs, however the field is reached.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { execute, parse, subscribe } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { ConfigError } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import {
  createPrincipal,
  createSender,
  type OperationResponse,
  useCaller,
} from '../../support/guarded-app.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const SILENT = { warn() {} };

const TYPES = `${directiveTypeDefs}
  type Query {
    open: Open
    secret: String @auth
    strict: String! @auth
    admin: String @auth(roles: ["admin", "root"])
    scoped: String @auth(scopes: [["read", "list"], ["all"]])
    recent: String @auth(maxAge: 300)
    federated: String @authenticated
    federatedScope: String @requiresScopes(scopes: [["read"]])
    private: Private
    posts: [Post]
    strictPosts: [Post!]
    post: Post
    things: [Thing]
    stamped: Stamped
    note: Note
  }
  type Mutation { ping: Int change: Int @auth make: Private }
  type Subscription { ticks: Int @auth }
  type Open { name: String secret: String @auth }
  interface Post { id: ID title: String }
  type PublicPost implements Post { id: ID title: String }
  type PrivatePost implements Post @auth { id: ID title: String }
  union Thing = PublicPost | PrivatePost
  type Private @auth { id: ID }
  interface Stamp @auth { at: Int }
  type Stamped implements Stamp { at: Int by: String }
  interface Noted { note: String @auth }
  type Note implements Noted { note: String text: String }
`;
const EXTENSION =
  'extend type Query { extended: String @auth } extend type Open @authenticated { more: String }';

const POSTS = [
  { __typename: 'PublicPost', id: 1, title: 'one' },
  { __typename: 'PrivatePost', id: 2, title: 'two' },
  { __typename: 'PublicPost', id: 3, title: 'three' },
];
const DATA: Record<string, unknown> = {
  open: { name: 'open', secret: 'deep' },
  secret: 's',
  strict: 's',
  admin: 'a',
  scoped: 's',
  recent: 'r',
  federated: 'f',
  federatedScope: 'f',
  private: { id: 1 },
  posts: POSTS,
  strictPosts: POSTS,
  post: POSTS[1],
  things: POSTS,
  stamped: { at: 1, by: 'b' },
  note: { note: 'n', text: 't' },
  ping: 1,
  change: 2,
  make: { id: 3 },
  extended: 'e',
};

const caller = (changes: Partial<Principal> = {}) => createPrincipal({ authenticatedAt: NOW, ...changes });
const ADA = caller();

/** Creates a server that records every resolver that runs. */
function createApp(principal: Principal | null, options: GuardOptions = {}, types: string[] = [TYPES]) {
  const calls: string[] = [];
  const schema = mapSchema(makeExecutableSchema({ typeDefs: types }), {
    [MapperKind.OBJECT_FIELD]: (config, field, type) => ({
      ...config,
      resolve: (source) => {
        calls.push(`${type}.${field}`);
        return (source ?? DATA)[field];
      },
      ...(type === 'Subscription' && {
        async *subscribe() {
          calls.push(`${type}.${field} subscribed`);
          yield { ticks: 1 };
        },
      }),
    }),
  });
  const guard = useGuard({ now: () => NOW, log: SILENT, ...options });
  const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), guard] });
  async function request(url: string, init: RequestInit) {
    const response = await yoga.fetch(`http://yoga/graphql${url}`, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
  return { send: createSender(yoga), request, calls, schema, yoga };
}

const denialsIn = ({ body }: Pick<OperationResponse, 'body'>): [string, string][] =>
  (body.errors ?? []).map(({ path, extensions }: { path: string[]; extensions: { reason: string } }) => [
    path.join('.'),
    extensions.reason,
  ]);

function expectRejected(response: OperationResponse, status: number, ...denials: [string, string][]) {
  expect(denialsIn(response)).toEqual(denials);
  expect(response.body).not.toHaveProperty('data');
  expect(response.status).toBe(status);
}

describe('an anonymous caller', () => {
  it.each<[string, string, string, object?]>([
    ['@auth on a field', '{ secret }', 'secret'],
    ['a field below open ones', '{ open { name secret } }', 'open.secret'],
    ['a field of a mutation', 'mutation { ping change }', 'change'],
    ['a field that returns a protected type', 'mutation { make { __typename } }', 'make'],
    ['a protected type', '{ private { id } }', 'private private.id'],
    ['an implementation of a protected interface', '{ stamped { by } }', 'stamped stamped.by'],
    ['a field that an interface protects', '{ note { text note } }', 'note.note'],
    ['Federation’s @authenticated', '{ federated }', 'federated'],
    ['Federation’s @requiresScopes', '{ federatedScope }', 'federatedScope'],
    ['an alias', '{ open { name } x: secret }', 'x'],
    ['a fragment', '{ ...F } fragment F on Query { open { name } secret }', 'secret'],
    ['an inline fragment', '{ ... on Query { ... { secret } } }', 'secret'],
    ['a literal @skip that selects', '{ secret @skip(if: false) }', 'secret'],
    ['a literal @include that selects', '{ secret @include(if: true) }', 'secret'],
    ['a variable', 'query ($v: Boolean!) { secret @include(if: $v) }', 'secret', { variables: { v: true } }],
    ['a default', 'query ($v: Boolean = true) { secret @include(if: $v) }', 'secret'],
    ['the operation named', 'query A { open { name } } query B { secret }', 'secret', { operationName: 'B' }],
    ['a field that is selected twice, once', '{ secret ... on Query { secret } }', 'secret'],
  ])('an anonymous caller is denied before execution: %s', async (_, query, paths, more) => {
    const { send, calls } = createApp(null);
    const expected = paths.split(' ').map((path): [string, string] => [path, 'MISSING_TOKEN']);
    const response = await send(query, more);
    expectRejected(response, 401, ...expected);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="bandha"');
    expect(calls).toEqual([]);
  });

  it.each<[string, string, object?]>([
    ['an open field', '{ open { name } }'],
    ['an open field of a mutation', 'mutation { ping }'],
    ['__typename', '{ __typename open { __typename } }'],
    ['introspection', '{ __type(name: "Private") { fields { name } } }'],
    ['a field that a literal @skip excludes', '{ open { name } secret @skip(if: true) }'],
    ['a field that a literal @include excludes', '{ open { name } secret @include(if: false) }'],
    [
      'a field that a variable excludes',
      'query ($v: Boolean!) { open { name } secret @skip(if: $v) }',
      { variables: { v: true } },
    ],
    [
      'a field that a default excludes',
      'query ($v: Boolean = false) { open { name } secret @include(if: $v) }',
    ],
    [
      'an open operation beside a protected one',
      'query A { open { name } } query B { secret }',
      { operationName: 'A' },
    ],
  ])('an anonymous caller can run %s', async (_, query, more) => {
    const { send } = createApp(null);
    const response = await send(query, more);
    expect(response.body.errors).toBeUndefined();
    expect(response.status).toBe(200);
  });

  it('an anonymous caller is denied by GET', async () => {
    const { request, calls } = createApp(null);
    expectRejected(await request(`?query=${encodeURIComponent('{ secret }')}`, {}), 401, [
      'secret',
      'MISSING_TOKEN',
    ]);
    const open = await request(`?query=${encodeURIComponent('{ open { name } }')}`, {});
    expect(open.body).toEqual({ data: { open: { name: 'open' } } });
    expect(calls).toEqual(['Query.open', 'Open.name']);
  });

  it('an anonymous caller is denied fields of an extension with a rule', async () => {
    const { send, calls } = createApp(null, {}, [TYPES, EXTENSION]);
    expectRejected(await send('{ extended }'), 401, ['extended', 'MISSING_TOKEN']);
    expectRejected(
      await send('{ open { name } }'),
      401,
      ['open', 'MISSING_TOKEN'],
      ['open.name', 'MISSING_TOKEN'],
    );
    expect(calls).toEqual([]);
  });

  it('each error has the coordinate of its field', async () => {
    const { body } = await createApp(null).send('{ x: secret open { secret } }');
    const named = body.errors.map(({ extensions }: { extensions: object }) => extensions);
    const denial = { code: 'UNAUTHENTICATED', reason: 'MISSING_TOKEN' };
    expect(named).toEqual([
      { ...denial, coordinate: 'Query.secret' },
      { ...denial, coordinate: 'Open.secret' },
    ]);
  });
});

describe('a signed-in caller', () => {
  it.each<[string, Partial<Principal>, string]>([
    [
      'fields that require sign-in only',
      {},
      '{ secret strict federated private { id } posts { id } stamped { by } }',
    ],
    ['a field that requires one of several roles', { roles: new Set(['root']) }, '{ admin }'],
    [
      'fields that require a set of scopes',
      { scopes: new Set(['list', 'read']) },
      '{ scoped federatedScope }',
    ],
    ['a field that requires one of several sets of scopes', { scopes: new Set(['all']) }, '{ scoped }'],
    ['a field that requires a recent sign-in', { authenticatedAt: new Date(+NOW - 300_000) }, '{ recent }'],
  ])('a signed-in caller can read %s', async (_, changes, query) => {
    const { status, body } = await createApp(caller(changes)).send(query);
    expect(body.errors).toBeUndefined();
    expect(status).toBe(200);
  });

  it.each<[string, Partial<Principal>, string, number, string, string | null]>([
    ['the role', { roles: new Set(['Admin']) }, 'admin', 403, 'MISSING_ROLE', null],
    [
      'one scope of a set',
      { scopes: new Set(['read']) },
      'scoped',
      403,
      'MISSING_SCOPE',
      'Bearer realm="bandha", error="insufficient_scope", scope="read list"',
    ],
    [
      'a recent sign-in',
      { authenticatedAt: new Date(+NOW - 300_001) },
      'recent',
      401,
      'REAUTHENTICATION_REQUIRED',
      expect.stringMatching(
        /^Bearer realm="bandha", error="insufficient_user_authentication".*, max_age="300"$/,
      ),
    ],
  ])('a signed-in caller is denied without %s', async (_, changes, field, status, reason, challenge) => {
    const { send, calls } = createApp(caller(changes));
    const response = await send(`{ open { name } ${field} }`);
    expectRejected(response, status, [field, reason]);
    expect(response.headers.get('www-authenticate')).toEqual(challenge);
    expect(calls).toEqual([]);
  });
});

describe('fields that depend on the type of an object', () => {
  it.each(['reject', 'null'] as const)(
    'objects behind an interface are denied one by one, onDenied %s',
    async (onDenied) => {
      const { send, calls } = createApp(null, { onDenied });
      const response = await send('{ posts { id title } }');
      const [one, , three] = POSTS.map(({ id, title }) => ({ id: String(id), title }));
      expect(response.body.data).toEqual({ posts: [one, null, three] });
      expect(denialsIn(response)).toEqual([['posts.1', 'MISSING_TOKEN']]);
      expect(response.status).toBe(200);
      expect(calls.filter((call) => call.startsWith('PrivatePost'))).toEqual([]);
    },
  );

  it.each([
    ['a union', '{ things { ... on PublicPost { id } ... on PrivatePost { id } } }', 'things', 'things.1'],
    ['a union, for __typename alone', '{ things { __typename } }', 'things', 'things.1'],
    [
      'an interface, without a field of the denied type',
      '{ posts { ... on PublicPost { id } } }',
      'posts',
      'posts.1',
    ],
  ])('a denied object has one error with its path: %s', async (_, query, field, path) => {
    const response = await createApp(null).send(query);
    expect(response.body.data[field].map(Boolean)).toEqual([true, false, true]);
    expect(denialsIn(response)).toEqual([[path, 'MISSING_TOKEN']]);
  });

  it('a denied item makes a list of non-null items null', async () => {
    const response = await createApp(null).send('{ open { name } strictPosts { id } }');
    expect(response.body.data).toEqual({ open: { name: 'open' }, strictPosts: null });
    expect(denialsIn(response)).toEqual([['strictPosts.1', 'MISSING_TOKEN']]);
    expect(response.status).toBe(200);
  });

  it('a permitted caller gets every object', async () => {
    const { body } = await createApp(ADA).send('{ posts { id } things { __typename } post { title } }');
    expect(body.errors).toBeUndefined();
    expect(body.data.posts).toHaveLength(3);
    expect(body.data.post).toEqual({ title: 'two' });
  });
});

describe('onDenied: null', () => {
  const open = (principal: Principal | null = null) => createApp(principal, { onDenied: 'null' });

  it('each denied field is null with an error, beside all other data', async () => {
    const { send, calls } = open();
    const response = await send('{ open { name secret } x: secret private { id } }');
    expect(response.body.data).toEqual({ open: { name: 'open', secret: null }, x: null, private: null });
    const denials = denialsIn(response).toSorted();
    expect(denials).toEqual(['open.secret', 'private', 'x'].map((path) => [path, 'MISSING_TOKEN']));
    expect(response.status).toBe(200);
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(calls).toEqual(['Query.open', 'Open.name']);
  });

  it('a denied non-null field makes its parent null', async () => {
    const response = await open().send('{ open { name } strict }');
    expect(response.body.data).toBeNull();
    expect(denialsIn(response)).toEqual([['strict', 'MISSING_TOKEN']]);
    expect(response.status).toBe(200);
  });

  it('each error has the reason for which its field is denied', async () => {
    const response = await open(ADA).send('{ secret admin scoped }');
    expect(response.body.data).toEqual({ secret: 's', admin: null, scoped: null });
    expect(denialsIn(response)).toEqual([
      ['admin', 'MISSING_ROLE'],
      ['scoped', 'MISSING_SCOPE'],
    ]);
  });
});

describe('a subscription', () => {
  it.each(['reject', 'null'] as const)(
    'a denied subscription does not begin, onDenied %s',
    async (onDenied) => {
      const { yoga, calls } = createApp(null, { onDenied });
      const response = await yoga.fetch('http://yoga/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: 'subscription { ticks }' }),
      });
      const text = await response.text();
      expect(text).toContain('"reason":"MISSING_TOKEN"');
      expect(text).not.toContain('"ticks":1');
      expect(calls).toEqual([]);
    },
  );

  it('a permitted caller receives the events of a subscription', async () => {
    const { yoga, calls } = createApp(ADA);
    const url = `http://yoga/graphql?query=${encodeURIComponent('subscription { ticks }')}`;
    const response = await yoga.fetch(url, { headers: { accept: 'text/event-stream' } });
    expect(await response.text()).toContain('{"data":{"ticks":1}}');
    expect(calls).toEqual(['Subscription.ticks subscribed', 'Subscription.ticks']);
  });
});

describe('the enforced schema, executed without a plugin', () => {
  it.each<[string, unknown]>([
    ['no context', undefined],
    ['a context without a principal', {}],
    ['a context with a null principal', { principal: null }],
  ])('the enforced schema denies with %s', async (_, contextValue) => {
    const { schema, calls } = createApp(null);
    const { enforced } = enforceSchema(schema, { log: SILENT });
    const document = parse('{ open { name secret } secret private { id } post { id } }');
    const { data, errors } = await execute({ schema: enforced, document, contextValue });
    expect(data).toEqual({ open: { name: 'open', secret: null }, secret: null, private: null, post: null });
    expect(errors?.map(({ originalError }) => originalError?.name)).toEqual(Array(4).fill('AuthError'));
    expect(calls.toSorted()).toEqual(['Open.name', 'Query.open', 'Query.post']);
  });

  it('the enforced schema denies a subscription', async () => {
    const { schema, calls } = createApp(null);
    const { enforced } = enforceSchema(schema, { log: SILENT });
    const result = await subscribe({ schema: enforced, document: parse('subscription { ticks }') });
    expect(result).toMatchObject({ errors: [{ originalError: { reason: 'MISSING_TOKEN' } }] });
    expect(calls).toEqual([]);
  });

  it('the enforced schema allows a permitted caller', async () => {
    const { schema } = createApp(null);
    const { enforced } = enforceSchema(schema, { log: SILENT });
    const document = parse('{ secret post { title } }');
    const result = await execute({ schema: enforced, document, contextValue: { principal: ADA } });
    expect(result).toEqual({ data: { secret: 's', post: { title: 'two' } } });
  });

  it('an enforced schema is not enforced again', () => {
    const { schema } = createApp(null);
    const guarded = enforceSchema(schema, { log: SILENT });
    expect(enforceSchema(guarded.enforced)).toBe(guarded);
    expect(guarded.original).toBe(schema);
  });
});

it.each([
  { onDenied: 'nul' },
  { defaultAccess: 'denny' },
  { introspection: 'permited' },
  { default: 'deny' },
  Object.create({ default: 'deny' }),
  Object.defineProperty({}, 'default', { value: 'deny' }),
  new (class {
    get defaultAccess() {
      return 'deny';
    }
  })(),
  { defualtAccess: 'deny' },
  { reportOnly: 'false' },
  { reportOnly: 0 },
  { policies: { own: true } },
  { policies: [] },
  { policies: null },
  { now: new Date() },
  { watchSession: true },
  null,
])('an unknown option or value is a ConfigError: %o', (options) => {
  // Casts, as JavaScript can pass any value.
  expect(() => useGuard(options as GuardOptions)).toThrow(ConfigError);
});
