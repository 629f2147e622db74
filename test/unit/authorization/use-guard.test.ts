// The guard on a Yoga server of its own: no resolver of a forbidden field runs, whatever the way to it.
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
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const SILENT = { warn() {} };

const TYPES = `${directiveTypeDefs}
  type Query {
    open: Open secret: String @auth strict: String! @auth admin: String @auth(roles: ["admin", "root"])
    scoped: String @auth(scopes: [["read", "list"], ["all"]]) recent: String @auth(maxAge: 300)
    federated: String @authenticated federatedScope: String @requiresScopes(scopes: [["read"]])
    private: Private posts: [Post] strictPosts: [Post!] post: Post things: [Thing] stamped: Stamped note: Note
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
  ...{
    open: { name: 'open', secret: 'deep' },
    secret: 's',
    strict: 's',
    admin: 'a',
    scoped: 's',
    recent: 'r',
  },
  ...{
    federated: 'f',
    federatedScope: 'f',
    private: { id: 1 },
    posts: POSTS,
    strictPosts: POSTS,
    post: POSTS[1],
  },
  ...{ things: POSTS, stamped: { at: 1, by: 'b' }, note: { note: 'n', text: 't' }, ping: 1, change: 2 },
  ...{ make: { id: 3 }, extended: 'e' },
};

const caller = (changes: Partial<Principal> = {}) => createPrincipal({ authenticatedAt: NOW, ...changes });
const ADA = caller();

/** A server whose every resolver is noted as it runs. */
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
  async function send(url: string, init: RequestInit) {
    const response = await yoga.fetch(`http://yoga/graphql${url}`, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
  return { ask: createSender(yoga), send, calls, schema, yoga };
}

type Answer = Awaited<ReturnType<ReturnType<typeof createApp>['ask']>>;
const refusalsIn = ({ body }: Answer): [string, string][] =>
  (body.errors ?? []).map(({ path, extensions }: { path: string[]; extensions: { reason: string } }) => [
    path.join('.'),
    extensions.reason,
  ]);

function expectRefused(answer: Answer, status: number, ...places: [string, string][]) {
  expect(refusalsIn(answer)).toEqual(places);
  expect(answer.body).not.toHaveProperty('data');
  expect(answer.status).toBe(status);
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
    ['a literal @skip that keeps', '{ secret @skip(if: false) }', 'secret'],
    ['a literal @include that keeps', '{ secret @include(if: true) }', 'secret'],
    ['a variable', 'query ($v: Boolean!) { secret @include(if: $v) }', 'secret', { variables: { v: true } }],
    ['a default', 'query ($v: Boolean = true) { secret @include(if: $v) }', 'secret'],
    ['the operation named', 'query A { open { name } } query B { secret }', 'secret', { operationName: 'B' }],
    ['one place selected twice, once', '{ secret ... on Query { secret } }', 'secret'],
  ])('is refused %s before anything runs', async (_, query, places, more) => {
    const { ask, calls } = createApp(null);
    const expected = places.split(' ').map((place): [string, string] => [place, 'MISSING_TOKEN']);
    const answer = await ask(query, more);
    expectRefused(answer, 401, ...expected);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="bandha"');
    expect(calls).toEqual([]);
  });

  it.each<[string, string, object?]>([
    ['an open field', '{ open { name } }'],
    ['an open field of a mutation', 'mutation { ping }'],
    ['__typename', '{ __typename open { __typename } }'],
    ['introspection', '{ __type(name: "Private") { fields { name } } }'],
    ['what a literal @skip leaves out', '{ open { name } secret @skip(if: true) }'],
    ['what a literal @include leaves out', '{ open { name } secret @include(if: false) }'],
    [
      'what a variable leaves out',
      'query ($v: Boolean!) { open { name } secret @skip(if: $v) }',
      { variables: { v: true } },
    ],
    ['what a default leaves out', 'query ($v: Boolean = false) { open { name } secret @include(if: $v) }'],
    [
      'an open operation beside a protected one',
      'query A { open { name } } query B { secret }',
      { operationName: 'A' },
    ],
  ])('gets %s', async (_, query, more) => {
    const { ask } = createApp(null);
    const answer = await ask(query, more);
    expect(answer.body.errors).toBeUndefined();
    expect(answer.status).toBe(200);
  });

  it('is refused by GET as by POST', async () => {
    const { send, calls } = createApp(null);
    expectRefused(await send(`?query=${encodeURIComponent('{ secret }')}`, {}), 401, [
      'secret',
      'MISSING_TOKEN',
    ]);
    const open = await send(`?query=${encodeURIComponent('{ open { name } }')}`, {});
    expect(open.body).toEqual({ data: { open: { name: 'open' } } });
    expect(calls).toEqual(['Query.open', 'Open.name']);
  });

  it('is refused what an extension of a type protects', async () => {
    const { ask, calls } = createApp(null, {}, [TYPES, EXTENSION]);
    expectRefused(await ask('{ extended }'), 401, ['extended', 'MISSING_TOKEN']);
    expectRefused(
      await ask('{ open { name } }'),
      401,
      ['open', 'MISSING_TOKEN'],
      ['open.name', 'MISSING_TOKEN'],
    );
    expect(calls).toEqual([]);
  });

  it('names each refused field by its coordinate', async () => {
    const { body } = await createApp(null).ask('{ x: secret open { secret } }');
    const named = body.errors.map(({ extensions }: { extensions: object }) => extensions);
    const refusal = { code: 'UNAUTHENTICATED', reason: 'MISSING_TOKEN' };
    expect(named).toEqual([
      { ...refusal, coordinate: 'Query.secret' },
      { ...refusal, coordinate: 'Open.secret' },
    ]);
  });
});

describe('a signed-in caller', () => {
  it.each<[string, Partial<Principal>, string]>([
    [
      'whatever needs nothing more',
      {},
      '{ secret strict federated private { id } posts { id } stamped { by } }',
    ],
    ['what any one of the roles opens', { roles: new Set(['root']) }, '{ admin }'],
    ['what every scope of one set opens', { scopes: new Set(['list', 'read']) }, '{ scoped federatedScope }'],
    ['what every scope of the other set opens', { scopes: new Set(['all']) }, '{ scoped }'],
    ['what a sign-in just recent enough opens', { authenticatedAt: new Date(+NOW - 300_000) }, '{ recent }'],
  ])('gets %s', async (_, changes, query) => {
    const { status, body } = await createApp(caller(changes)).ask(query);
    expect(body.errors).toBeUndefined();
    expect(status).toBe(200);
  });

  it.each<[string, Partial<Principal>, string, number, string, string | null]>([
    ['a role', { roles: new Set(['Admin']) }, 'admin', 403, 'MISSING_ROLE', null],
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
  ])('is refused for want of %s', async (_, changes, field, status, reason, challenge) => {
    const { ask, calls } = createApp(caller(changes));
    const answer = await ask(`{ open { name } ${field} }`);
    expectRefused(answer, status, [field, reason]);
    expect(answer.headers.get('www-authenticate')).toEqual(challenge);
    expect(calls).toEqual([]);
  });
});

describe('what depends on the concrete type', () => {
  it.each(['reject', 'null'] as const)('comes object by object with onDenied %s', async (onDenied) => {
    const { ask, calls } = createApp(null, { onDenied });
    const answer = await ask('{ posts { id title } }');
    const [one, , three] = POSTS.map(({ id, title }) => ({ id: String(id), title }));
    expect(answer.body.data).toEqual({ posts: [one, null, three] });
    expect(refusalsIn(answer)).toEqual([['posts.1', 'MISSING_TOKEN']]);
    expect(answer.status).toBe(200);
    expect(calls.filter((call) => call.startsWith('PrivatePost'))).toEqual([]);
  });

  it.each([
    ['a union', '{ things { ... on PublicPost { id } ... on PrivatePost { id } } }', 'things', 'things.1'],
    ['a union, for __typename alone', '{ things { __typename } }', 'things', 'things.1'],
    ['an interface, for nothing of its own', '{ posts { ... on PublicPost { id } } }', 'posts', 'posts.1'],
  ])('is refused at its place: %s', async (_, query, field, place) => {
    const answer = await createApp(null).ask(query);
    expect(answer.body.data[field].map(Boolean)).toEqual([true, false, true]);
    expect(refusalsIn(answer)).toEqual([[place, 'MISSING_TOKEN']]);
  });

  it('takes the list along where its items may not be null', async () => {
    const answer = await createApp(null).ask('{ open { name } strictPosts { id } }');
    expect(answer.body.data).toEqual({ open: { name: 'open' }, strictPosts: null });
    expect(refusalsIn(answer)).toEqual([['strictPosts.1', 'MISSING_TOKEN']]);
    expect(answer.status).toBe(200);
  });

  it('comes whole for a caller who may have it', async () => {
    const { body } = await createApp(ADA).ask('{ posts { id } things { __typename } post { title } }');
    expect(body.errors).toBeUndefined();
    expect(body.data.posts).toHaveLength(3);
    expect(body.data.post).toEqual({ title: 'two' });
  });
});

describe('onDenied: null', () => {
  const open = (principal: Principal | null = null) => createApp(principal, { onDenied: 'null' });

  it('gives null and an error for each denied field, and everything else', async () => {
    const { ask, calls } = open();
    const answer = await ask('{ open { name secret } x: secret private { id } }');
    expect(answer.body.data).toEqual({ open: { name: 'open', secret: null }, x: null, private: null });
    const places = refusalsIn(answer).toSorted();
    expect(places).toEqual(['open.secret', 'private', 'x'].map((place) => [place, 'MISSING_TOKEN']));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(calls).toEqual(['Query.open', 'Open.name']);
  });

  it('lets a denied field that may not be null take its parent along', async () => {
    const answer = await open().ask('{ open { name } strict }');
    expect(answer.body.data).toBeNull();
    expect(refusalsIn(answer)).toEqual([['strict', 'MISSING_TOKEN']]);
    expect(answer.status).toBe(200);
  });

  it('says what is missing to whom', async () => {
    const answer = await open(ADA).ask('{ secret admin scoped }');
    expect(answer.body.data).toEqual({ secret: 's', admin: null, scoped: null });
    expect(refusalsIn(answer)).toEqual([
      ['admin', 'MISSING_ROLE'],
      ['scoped', 'MISSING_SCOPE'],
    ]);
  });
});

describe('a subscription', () => {
  it.each(['reject', 'null'] as const)('is refused before it begins with onDenied %s', async (onDenied) => {
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
  });

  it('comes for a caller who may have it', async () => {
    const { yoga, calls } = createApp(ADA);
    const url = `http://yoga/graphql?query=${encodeURIComponent('subscription { ticks }')}`;
    const response = await yoga.fetch(url, { headers: { accept: 'text/event-stream' } });
    expect(await response.text()).toContain('{"data":{"ticks":1}}');
    expect(calls).toEqual(['Subscription.ticks subscribed', 'Subscription.ticks']);
  });
});

describe('the walled schema, executed by hand', () => {
  it.each<[string, unknown]>([
    ['no context', undefined],
    ['a context without a principal', {}],
    ['a context that names nobody', { principal: null }],
  ])('refuses with %s', async (_, contextValue) => {
    const { schema, calls } = createApp(null);
    const { enforced: walled } = enforceSchema(schema, { log: SILENT });
    const document = parse('{ open { name secret } secret private { id } post { id } }');
    const { data, errors } = await execute({ schema: walled, document, contextValue });
    expect(data).toEqual({ open: { name: 'open', secret: null }, secret: null, private: null, post: null });
    expect(errors?.map(({ originalError }) => originalError?.name)).toEqual(Array(4).fill('AuthError'));
    expect(calls.toSorted()).toEqual(['Open.name', 'Query.open', 'Query.post']);
  });

  it('refuses a subscription', async () => {
    const { schema, calls } = createApp(null);
    const { enforced: walled } = enforceSchema(schema, { log: SILENT });
    const result = await subscribe({ schema: walled, document: parse('subscription { ticks }') });
    expect(result).toMatchObject({ errors: [{ originalError: { reason: 'MISSING_TOKEN' } }] });
    expect(calls).toEqual([]);
  });

  it('lets through who may have it', async () => {
    const { schema } = createApp(null);
    const { enforced: walled } = enforceSchema(schema, { log: SILENT });
    const document = parse('{ secret post { title } }');
    const result = await execute({ schema: walled, document, contextValue: { principal: ADA } });
    expect(result).toEqual({ data: { secret: 's', post: { title: 'two' } } });
  });

  it('is not walled again, and leaves the plain one as it was', () => {
    const { schema } = createApp(null);
    const guarded = enforceSchema(schema, { log: SILENT });
    expect(enforceSchema(guarded.enforced)).toBe(guarded);
    expect(guarded.original).toBe(schema);
  });
});

it.each([
  { onDenied: 'nul' },
  { default: 'denny' },
  { introspection: 'usabel' },
  { default: 'deny' },
  { defualt: 'deny' },
  { report: 'false' },
  { report: 0 },
  { policies: { own: true } },
  { policies: [] },
  { policies: null },
  { now: new Date() },
  { watchSession: true },
  null,
])('a misspelt option or choice is an error at start: %o', (options) => {
  // What plain JavaScript can say.
  expect(() => useGuard(options as GuardOptions)).toThrow(ConfigError);
});
