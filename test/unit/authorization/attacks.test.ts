// Every known way to reach a denied field, tried by an anonymous caller and by a caller without the role.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { planOperation } from '../../../src/authorization/operation-plan.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, useCaller } from '../../support/guarded-app.ts';

const ADMIN = '@auth(roles: ["admin"])';
const TYPES = `${directiveTypeDefs}
  directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @stream(if: Boolean! = true, label: String, initialCount: Int = 0) on FIELD
  scalar Seal ${ADMIN}
  enum Rank ${ADMIN} { LEAKED_RANK }
  type Query {
    open: String
    vault: String ${ADMIN}
    vaults: [String] ${ADMIN}
    seal: Seal
    rank: Rank!
    self: Public
    node: Node
    nodes: [Node]
    items: [Item]
    closed: Closed
    guarded: Guarded
    marked: Marked
    halves: [Half]
    halved: Halved
    deep: Deep
    derived: Derived
  }
  type Mutation { ping: Int make: Closed sealed: Seal }
  interface Node { id: ID label: String }
  type Public implements Node { id: ID label: String self: Public hidden: String ${ADMIN} nodes: [Node] }
  type Closed implements Node ${ADMIN} { id: ID label: String }
  union Item = Public | Closed
  interface Guarded ${ADMIN} { mark: String }
  type Marked implements Guarded { mark: String other: String }
  interface Half { half: String ${ADMIN} whole: String }
  type Halved implements Half { half: String whole: String }
  type Halving implements Half { half: String whole: String }
  interface Base { base: String ${ADMIN} }
  interface Derived implements Base { base: String derived: String }
  type Deep implements Base & Derived { base: String derived: String }
`;
const FORBIDDEN =
  /^(Closed|Marked)\.|^Query\.(vault|vaults|seal|rank|closed|guarded|marked)$|^Mutation\.(make|sealed)$|\.(hidden|half|base)$/;
/** Matches the values of denied fields, and the names of denied types as values. */
const LEAK = /LEAK|:"(Closed|Marked)"/;

const PUBLIC = { __typename: 'Public', id: 1, label: 'public', hidden: 'LEAK' };
const CLOSED = { __typename: 'Closed', id: 'LEAK', label: 'LEAK' };
const HALF = { half: 'LEAK', whole: 'w' };
const DATA: Record<string, unknown> = {
  open: 'o',
  vault: 'LEAK',
  vaults: ['LEAK'],
  seal: 'LEAK',
  rank: 'LEAKED_RANK',
  self: PUBLIC,
  node: CLOSED,
  nodes: [PUBLIC, CLOSED],
  items: [PUBLIC, CLOSED],
  closed: CLOSED,
  make: CLOSED,
  guarded: { __typename: 'Marked', mark: 'LEAK' },
  marked: { mark: 'LEAK', other: 'LEAK' },
  ping: 1,
  halves: ['Halved', 'Halving'].map((__typename) => ({ __typename, ...HALF })),
  halved: HALF,
  deep: { base: 'LEAK' },
  derived: { __typename: 'Deep', base: 'LEAK' },
  sealed: 'LEAK',
};
const valueFor = (source: unknown, field: string): unknown =>
  ((source ?? DATA) as Record<string, unknown>)[field] ?? DATA[field];

const USER = createPrincipal({ roles: new Set(['user']) });

function createApp(principal: Principal | null, options: GuardOptions = {}, types = TYPES) {
  const calls: string[] = [];
  const schema = mapSchema(makeExecutableSchema({ typeDefs: types }), {
    [MapperKind.OBJECT_FIELD]: (config, field, type) => ({
      ...config,
      resolve(source) {
        calls.push(`${type}.${field}`);
        return valueFor(source, field);
      },
    }),
  });
  const guard = useGuard({ log: { warn() {} }, ...options });
  const yoga = createYoga({
    schema,
    logging: false,
    batching: true,
    maxRequestBodySize: 10_000_000,
    plugins: [useCaller(principal), guard],
  });
  async function send(url: string, init: RequestInit = {}) {
    const response = await yoga.fetch(`http://yoga/graphql${url}`, init);
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  }
  const post = (body: object) =>
    send('', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const forbidden = () => calls.filter((call) => FORBIDDEN.test(call));
  return { post, send, calls, forbidden, yoga, schema };
}

interface Coded {
  extensions?: { code?: string; reason?: string; coordinate?: string };
}
const codesIn = (errors: Coded[] = []) =>
  new Set(errors.map(({ extensions }) => `${extensions?.code} ${extensions?.reason}`));
const coordinatesIn = (errors: Coded[] = []) =>
  errors.map(({ extensions }) => extensions?.coordinate).join(' ');

const CALLERS = [
  ['an anonymous caller', null, 401, 'UNAUTHENTICATED MISSING_TOKEN'],
  ['a caller without the role', USER, 403, 'FORBIDDEN MISSING_ROLE'],
] as const;

const repeat = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nest = (depth: number, inner: string) => `${'self { '.repeat(depth)}${inner}${' }'.repeat(depth)}`;
/** Fragments that select `leaf` at 2 to the power of 20 paths. */
const bomb = (leaf: string) =>
  `${repeat(20, (n) => `fragment F${n} on Public { a: self { ...F${n + 1} } b: self { ...F${n + 1} } }`)}
   fragment F20 on Public { ${leaf} }`;

/** Name, operation, and the coordinates that are denied before execution. */
const UNCONDITIONAL: [string, string, string, object?][] = [
  ['an alias', '{ open x: vault }', 'Query.vault'],
  ['many aliases of one field', '{ a: vault b: vault c: vault }', 'Query.vault Query.vault Query.vault'],
  ['an alias with the name of an open field', '{ open: vault }', 'Query.vault'],
  ['a fragment', '{ open ...F } fragment F on Query { ... { vault } }', 'Query.vault'],
  [
    'fragments through an interface and back',
    '{ self { ...N } } fragment N on Node { ... on Public { ...M } } fragment M on Node { ... on Public { hidden } }',
    'Public.hidden',
  ],
  ['a scalar', '{ seal }', 'Query.seal'],
  ['an enum', '{ rank }', 'Query.rank'],
  ['a list of values', '{ vaults }', 'Query.vaults'],
  ['__typename alone of a protected object', '{ closed { __typename } }', 'Query.closed'],
  ['__typename alone of a protected interface', '{ guarded { __typename } }', 'Query.guarded'],
  ['a mutation’s __typename', 'mutation { ping make { __typename } }', 'Mutation.make'],
  ['a mutation that returns a scalar', 'mutation { sealed }', 'Mutation.sealed'],
  ['an interface’s rule, at the implementation', '{ marked { other } }', 'Query.marked Marked.other'],
  [
    'an interface’s rule, through a fragment on it',
    '{ marked { ... on Guarded { mark } } }',
    'Query.marked Marked.mark',
  ],
  ['an interface’s rule, at the interface', '{ guarded { mark } }', 'Query.guarded Guarded.mark'],
  ['an interface’s field, at the implementation', '{ halved { whole half } }', 'Halved.half'],
  ['an interface’s field, at the interface', '{ halves { half whole } }', 'Half.half'],
  ['an interface’s field, through its other end', '{ halved { ... on Half { half } } }', 'Halved.half'],
  ['the interface of an interface', '{ derived { base } }', 'Derived.base'],
  ['the interface of an interface, at the object', '{ deep { ... on Derived { base } } }', 'Deep.base'],
  ['the interface of an interface, back', '{ deep { ... on Base { ... on Deep { base } } } }', 'Deep.base'],
  ['the operation named', 'query A { open } query B { vault }', 'Query.vault', { operationName: 'B' }],
  [
    'a variable that includes',
    'query ($v: Boolean!) { vault @include(if: $v) }',
    'Query.vault',
    { variables: { v: true } },
  ],
  ['a default that includes', 'query ($v: Boolean = true) { vault @include(if: $v) }', 'Query.vault'],
  ['deep nesting', `{ ${nest(200, 'hidden')} }`, 'Public.hidden'],
  ['@stream', '{ open vaults @stream }', 'Query.vaults'],
];

/** Name, operation, and data. Denied objects are null with both values of `onDenied`. */
const PER_OBJECT: [string, string, object][] = [
  ['a field of the interface', '{ nodes { id } }', { nodes: [{ id: '1' }, null] }],
  [
    '__typename alone behind an interface',
    '{ nodes { __typename } }',
    { nodes: [{ __typename: 'Public' }, null] },
  ],
  ['__typename alone behind a union', '{ items { t: __typename } }', { items: [{ t: 'Public' }, null] }],
  [
    'a union’s member',
    '{ items { ... on Closed { id } ... on Public { label } } }',
    { items: [{ label: 'public' }, null] },
  ],
  ['a fragment that matches nothing', '{ nodes { ... on Public { id } } }', { nodes: [{ id: '1' }, null] }],
  ['a single object', '{ open node { ... on Closed { label } } }', { open: 'o', node: null }],
  [
    'fragments that lead round',
    '{ nodes { ...A } } fragment A on Node { id ... on Public { ...B } } fragment B on Node { ... on Closed { label } }',
    { nodes: [{ id: '1' }, null] },
  ],
  [
    'a protected field of some objects',
    '{ items { ... on Public { hidden } } }',
    { items: [{ hidden: null }, null] },
  ],
  [
    'a field that an interface protects in some',
    '{ halves { whole ... on Halved { half } } }',
    {
      halves: [{ whole: 'w', half: null }, { whole: 'w' }],
    },
  ],
  [
    'objects below objects',
    '{ self { nodes { ... on Node { label } } } }',
    { self: { nodes: [{ label: 'public' }, null] } },
  ],
];

describe.each(CALLERS)('%s', (_, principal, status, code) => {
  describe.each(['reject', 'null'] as const)('with onDenied %s', (onDenied) => {
    const open = (types?: string) => createApp(principal, { onDenied }, types);

    it.each(UNCONDITIONAL)('a caller cannot read by %s', async (_name, query, coordinates, more) => {
      const { post, calls, forbidden } = open();
      for (let time = 0; time < 2; time += 1) {
        const response = await post({ query, ...more });
        expect(response.text).not.toMatch(LEAK);
        expect(codesIn(response.body.errors)).toEqual(new Set([code]));
        if (onDenied === 'reject') {
          expect(response.body).not.toHaveProperty('data');
          expect(coordinatesIn(response.body.errors)).toBe(coordinates);
        }
        expect(response.status).toBe(onDenied === 'reject' ? status : 200);
      }
      expect(forbidden()).toEqual([]);
      if (onDenied === 'reject') expect(calls).toEqual([]);
    });

    it.each(PER_OBJECT)('a caller gets null for denied objects of %s', async (_name, query, data) => {
      const { post, forbidden } = open();
      const response = await post({ query });
      expect(response.text).not.toMatch(LEAK);
      expect(response.body.data).toEqual(data);
      expect(codesIn(response.body.errors)).toEqual(new Set([code]));
      expect(response.status).toBe(200);
      expect(forbidden()).toEqual([]);
    });

    it('a caller cannot read a denied field by GET', async () => {
      const { send, forbidden } = open();
      const response = await send(`?query=${encodeURIComponent('{ open vault }')}`);
      expect(response.text).not.toMatch(LEAK);
      expect(codesIn(response.body.errors)).toEqual(new Set([code]));
      expect(forbidden()).toEqual([]);
    });

    it('a denied entry of a batch does not affect the other entries', async () => {
      const { post, forbidden } = open();
      const entries = ['{ open }', '{ open vault }', '{ nodes { id } }', '{ open }'].map((query) => ({
        query,
      }));
      const { text, body } = await post(entries);
      expect(text).not.toMatch(LEAK);
      expect([body[0], body[3]]).toEqual([{ data: { open: 'o' } }, { data: { open: 'o' } }]);
      expect(codesIn(body[1].errors)).toEqual(new Set([code]));
      expect(body[2].data).toEqual({ nodes: [{ id: '1' }, null] });
      expect(forbidden()).toEqual([]);
    });

    it('a caller gets the open operation of a document with a protected one', async () => {
      const { post, calls } = open();
      const { body } = await post({ query: 'query A { open } query B { vault }', operationName: 'A' });
      expect(body).toEqual({ data: { open: 'o' } });
      expect(calls).toEqual(['Query.open']);
    });

    it('a caller cannot read a denied field by 10,000 aliases', async () => {
      const { post, forbidden } = open();
      const { text, body } = await post({ query: `{ ${repeat(10_000, (n) => `a${n}: vault`)} }` });
      expect(text).not.toMatch(LEAK);
      expect(codesIn(body.errors)).toEqual(new Set([code]));
      expect(forbidden()).toEqual([]);
    });

    it('a caller cannot read a denied field by fragments that double twenty times', async () => {
      const { post, forbidden } = open();
      // The open fields below `self` would be a million objects, so only an operation that is rejected may select them.
      const root = onDenied === 'reject' ? '{ self { ...F0 } }' : '{ vault self @include(if: $v) { ...F0 } }';
      const query = `query ($v: Boolean = false) ${root} ${bomb(onDenied === 'reject' ? 'hidden @skip(if: $v)' : 'hidden')}`;
      const { text, body } = await post({ query });
      expect(text).not.toMatch(LEAK);
      expect(codesIn(body.errors)).toEqual(new Set([code]));
      expect(forbidden()).toEqual([]);
    });

    it.each([
      ['the root’s __typename', 'mutation { __typename }'],
      ['a field', 'mutation { ping }'],
    ])('a caller cannot read %s of a protected root type', async (_name, query) => {
      const { post, calls } = open(TYPES.replace('type Mutation', `type Mutation ${ADMIN}`));
      const response = await post({ query });
      expect(codesIn(response.body.errors)).toEqual(new Set([code]));
      expect(JSON.stringify(response.body.data ?? null)).not.toContain('Mutation');
      expect(response.status).toBe(onDenied === 'reject' ? status : 200);
      expect(calls).toEqual([]);
    });

    it('introspection requires sign-in if defaultAccess is deny', async () => {
      const { post } = createApp(principal, { onDenied, defaultAccess: 'deny' });
      for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Closed") { name } }']) {
        const { body } = await post({ query });
        if (principal !== null) expect(body.errors).toBeUndefined();
        else {
          expect(codesIn(body.errors)).toEqual(new Set([code]));
          expect(body.data ?? null).toBeNull();
        }
      }
    });
  });
});

describe('@skip and @include with variables', () => {
  const SKIP = 'query ($v: Boolean!) { open vault @skip(if: $v) }';
  const INCLUDE = 'query ($v: Boolean!) { open vault @include(if: $v) }';
  const BY_DEFAULT_IN = 'query ($v: Boolean = true) { open ... @include(if: $v) { vault } }';
  const BY_DEFAULT_OUT = 'query ($v: Boolean = false) { open ... @include(if: $v) { vault } }';
  const ON_FRAGMENT = 'query ($v: Boolean!) { open ...F @include(if: $v) } fragment F on Query { vault }';
  const BOTH = 'query ($v: Boolean!, $w: Boolean!) { open vault @include(if: $v) @skip(if: $w) }';
  it.each<[string, object | undefined, boolean]>([
    [INCLUDE, { v: true }, true],
    [INCLUDE, { v: false }, false],
    [INCLUDE, { v: null }, true],
    [INCLUDE, {}, true],
    [INCLUDE, undefined, true],
    [INCLUDE, { v: 'false' }, true],
    [INCLUDE, { v: 0 }, true],
    [INCLUDE, { v: [false] }, true],
    [SKIP, { v: true }, false],
    [SKIP, { v: false }, true],
    [SKIP, { v: null }, true],
    [SKIP, {}, true],
    [SKIP, { v: 'true' }, true],
    [SKIP, { v: 1 }, true],
    [BY_DEFAULT_IN, undefined, true],
    [BY_DEFAULT_IN, {}, true],
    [BY_DEFAULT_IN, { v: null }, true],
    [BY_DEFAULT_IN, { v: false }, false],
    [BY_DEFAULT_OUT, undefined, false],
    [BY_DEFAULT_OUT, { v: null }, true],
    [BY_DEFAULT_OUT, { v: true }, true],
    [BY_DEFAULT_OUT, { v: 'false' }, true],
    [ON_FRAGMENT, { v: true }, true],
    [ON_FRAGMENT, { v: false }, false],
    [ON_FRAGMENT, { v: 'false' }, true],
    [BOTH, { v: true, w: false }, true],
    [BOTH, { v: true, w: true }, false],
    [BOTH, { v: false, w: false }, false],
  ])('%s with %j denies: %s', async (query, variables, isDenied) => {
    for (const onDenied of ['reject', 'null'] as const) {
      const { post, forbidden } = createApp(null, { onDenied });
      const { text, body } = await post({ query, variables });
      expect(text).not.toMatch(LEAK);
      expect(forbidden()).toEqual([]);
      if (!isDenied) expect(body).toEqual({ data: { open: 'o' } });
      else expect(body.errors.length).toBeGreaterThan(0);
      if (isDenied && onDenied === 'reject') expect(coordinatesIn(body.errors)).toBe('Query.vault');
    }
  });
});

describe('planning', () => {
  const fragments = (body: (next: string) => string, leaf: string) =>
    `${repeat(20, (n) => `fragment F${n} on Public { ${body(`...F${n + 1}`)} }`)} fragment F20 on Public { ${leaf} }`;
  const twice = (next: string) => `a: self { ${next} } b: self { ${next} }`;

  it.each<[string, string, boolean]>([
    ['that double under aliases', fragments(twice, 'hidden x: hidden'), true],
    ['that double and select nothing protected', fragments(twice, 'id'), false],
    ['that double at one path', fragments((next) => `${next} ... { ${next} }`, 'hidden'), true],
    [
      'that double under different conditions',
      fragments((next) => `${next} @include(if: $a) ... { ${next} @skip(if: $b) }`, 'hidden'),
      true,
    ],
    [
      'that are wide and spread often',
      `fragment F0 on Public { ${'... { ...W } '.repeat(1_000)} }
       fragment W on Public { ${repeat(1_000, (n) => `a${n}: hidden`)} }`,
      true,
    ],
  ])('planning takes linear time for fragments %s', (_, definitions, isProtected) => {
    const { schema } = createApp(null);
    const { original, accessRules } = enforceSchema(schema, { log: { warn() {} } });
    let reads = 0;
    const countingRules: typeof accessRules = {
      ...accessRules,
      forField(...coordinate) {
        reads += 1;
        return accessRules.forField(...coordinate);
      },
    };
    const variables = '$a: Boolean!, $b: Boolean!';
    const document = parse(
      `query (${variables}) { self { ...F0 } nodes { ... on Public { ...F0 } } } ${definitions}`,
    );
    const [operation] = document.definitions;
    if (operation?.kind !== 'OperationDefinition') throw new Error('The document has no operation');
    const plan = planOperation(original, countingRules, document, operation);
    expect(reads).toBeLessThan(50_000);
    const admin = [{ roles: ['admin'] }];
    expect(plan.unconditional.map(({ requirement }) => requirement)).toEqual(isProtected ? [admin] : []);
    expect(plan.perObject).toEqual(admin);
  });
});

describe('incremental delivery', () => {
  const Q_DEFER = '{ open self { id ... @defer { label hidden } } }';
  const Q_OBJECTS = '{ open ... @defer { nodes { id } } }';
  const Q_STREAM = '{ open nodes @stream(initialCount: 0) { id } }';

  /** Executes the operation and collects its parts, in the order of delivery. */
  async function run(query: string, principal: Principal | null) {
    const app = createApp(principal, { onDenied: 'null' });
    const envelop = app.yoga.getEnveloped({});
    const document = envelop.parse(query);
    const contextValue = await envelop.contextFactory();
    const result = await envelop.execute({ schema: envelop.schema, document, contextValue });
    const parts: unknown[] = [];
    if (Symbol.asyncIterator in result) for await (const part of result) parts.push(part);
    else parts.push(result);
    return { text: JSON.stringify(parts), parts, forbidden: app.forbidden };
  }

  it.each(CALLERS)(
    'an operation with @defer is rejected before execution for %s',
    async (_, principal, status, code) => {
      const { post, calls } = createApp(principal);
      const response = await post({ query: '{ open ... @defer { vault } }' });
      expect(response.body).not.toHaveProperty('data');
      expect(codesIn(response.body.errors)).toEqual(new Set([code]));
      expect(response.status).toBe(status);
      expect(calls).toEqual([]);
    },
  );

  it.each([
    ['a deferred field', Q_DEFER],
    ['objects in a deferred fragment', Q_OBJECTS],
    ['streamed objects', Q_STREAM],
  ])('incremental delivery denies %s', async (_, query) => {
    for (const [, principal, , code] of CALLERS) {
      const { text, parts, forbidden } = await run(query, principal);
      expect(parts.length).toBeGreaterThan(1);
      expect(text).not.toMatch(LEAK);
      expect(text).toContain(code.split(' ')[1]);
      expect(text).toMatch(/"(label|id)":/);
      expect(forbidden()).toEqual([]);
    }
  });

  it('a permitted caller receives deferred fields', async () => {
    const { text } = await run(Q_DEFER, { ...USER, roles: new Set(['admin']) });
    expect(text).toContain('LEAK');
    expect(text).not.toContain('errors');
  });
});
