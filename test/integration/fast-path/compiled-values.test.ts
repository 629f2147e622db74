// Checks that compiled queries complete irregular values of resolvers as the executor does.
import { makeExecutableSchema } from '@graphql-tools/schema';
import fc from 'fast-check';
import {
  type ExecutionResult,
  GraphQLBoolean,
  GraphQLID,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLString,
  getOperationAST,
  parse,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileQuery } from '../../../src/http/fast-path/compiler/compile-query.ts';
import { executeOperation } from '../../../src/http/fast-path/execute.ts';
import { request } from '../../support/raw-request.ts';
import { startServerPair } from './parity-corpus.ts';

/** Number of times that a query is sent. */
const RUNS = 3;

const send = (query: string) =>
  request({ headers: { 'Content-Type': 'application/json' } }, JSON.stringify({ query }));

describe('irregular values of resolvers', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  beforeAll(() => void process.on('unhandledRejection', note));
  afterAll(() => void process.off('unhandledRejection', note));

  /** Sends a query until it has run in every way. Both responses must be the same, and no rejection may be unhandled. */
  async function responseOf(typeDefs: string, resolvers: Resolvers, query: string): Promise<string> {
    unhandled.length = 0;
    const pair = await startServerPair({ typeDefs, resolvers });
    let response = '';
    for (let i = 0; i < RUNS; i += 1) {
      const { fastPath, yoga } = await pair.sendToBoth(send(query));
      expect(fastPath).toEqual(yoga);
      response = yoga.body;
    }
    await pair.close();
    await new Promise(setImmediate); // Node has reported unhandled rejections by then
    expect(unhandled).toEqual([]);
    return response;
  }

  const down = async () => {
    throw new Error('down');
  };
  const HUMAN = `
    extend type Query { p: Human  ps: [Human]  me: Me  other: Human }
    type Human { name: String  age: Int  friend: Human  friends: [Human]  tags: [String]  notes: [String] @auth(roles: ["admin"]) }
    type Me { notes: [String] }
  `;

  it('fields with similar names and paths keep their own values', async () => {
    const Query = {
      ps: () => [{ tags: ['t'], notes: ['SECRET'], name: 'Ada' }],
      me: () => ({ notes: ['mine'] }),
      p: () => ({}),
      other: () => ({ age: 1 }),
    };
    const Human = { friend: () => ({ name: 'Eve', age: 2 }) };
    const queries = [
      ['{ ps { tags } idx0_ps: me { tags: notes } }', '{"ps":[{"tags":["t"]}],"idx0_ps":{"tags":["mine"]}}'],
      [
        '{ p { friend { name } } friend_p: other { age } }',
        '{"p":{"friend":{"name":"Eve"}},"friend_p":{"age":1}}',
      ],
      [
        '{ p { b: friend { c: friend { name } } c_b: friend { age } } }',
        '{"p":{"b":{"c":{"name":"Eve"}},"c_b":{"age":2}}}',
      ],
    ];
    for (const [query = '', data] of queries) {
      expect(await responseOf(HUMAN, { Query, Human }, query)).toBe(`{"data":${data}}`);
    }
    const types =
      'extend type Query { post: Post  posts: Posts }  type Post { stitle: String }  type Posts { title: String }';
    const resolvers = {
      Query: { post: () => ({}), posts: () => ({}) },
      Post: { stitle: () => 'one' },
      Posts: { title: () => 'many' },
    };
    expect(await responseOf(types, resolvers, '{ post { stitle } posts { title } }')).toBe(
      '{"data":{"post":{"stitle":"one"},"posts":{"title":"many"}}}',
    );
  });

  it('a fragment on another type reads nothing', async () => {
    let ran = 0;
    const types = `
      interface Named { name: String }
      extend type Query { p: Human }
      type Human implements Named { name: String  secret: String @auth(roles: ["admin"]) }
      type Cat implements Named { name: String  secret: String }
    `;
    const human = {
      name: 'a',
      get secret() {
        ran += 1;
        return 's';
      },
    };
    const query = '{ p { name ... on Named { ... on Cat { secret } } } }';
    expect(await responseOf(types, { Query: { p: () => human } }, query)).toBe('{"data":{"p":{"name":"a"}}}');
    expect(ran).toBe(0);
  });

  it('resolvers receive the same arguments as from the executor', async () => {
    const seen = new Set<string>();
    const contexts = new Set<unknown>();
    const look = (source: unknown, args: unknown, context: object, info: GraphQLResolveInfo) => {
      const { schema, path, returnType, parentType, ...others } = info;
      const isOwn = returnType === schema.getType('Human') || parentType === schema.getType('Human');
      const received = { isOwn, path, ...others, keys: Object.keys(info) };
      contexts.add(Object.keys(context).sort().join());
      seen.add(JSON.stringify([source, args, received], (key, value) => (key === 'loc' ? undefined : value)));
      return source ?? { name: 'Ada' };
    };
    const resolvers = { Query: { p: look, ps: () => [{ name: 'Eve' }] }, Human: { friend: look } };
    await responseOf(HUMAN, resolvers, 'query Op { p { friend { name } } ps { f: friend { name } } }');
    expect(seen.size).toBe(3); // the same per field, compiled or not
    expect([...seen].every((text) => text.includes('"isOwn":true'))).toBe(true);
  });

  it('resolvers receive no objects of another request', async () => {
    const nodes: unknown[] = [];
    const variables: unknown[] = [];
    const note = (_source: unknown, _args: unknown, _context: unknown, info: GraphQLResolveInfo) => {
      nodes.push(info.fieldNodes);
      variables.push(info.variableValues);
      return [{}, {}];
    };
    const resolvers = { Query: { ps: () => [{}, {}] }, Human: { friends: note } };
    await responseOf(HUMAN, resolvers, '{ ps { friends { age } } }');
    expect(nodes).toHaveLength(4 * RUNS);
    expect(new Set(nodes).size).toBe(2 * RUNS); // one array for all items of a request
    expect(new Set(variables).size).toBe(2 * RUNS);
  });

  it('a second run gets a new context', async () => {
    const types = 'extend type Query { nonce: String  broken: String }';
    const nonce = (_source: unknown, _args: unknown, context: { used?: boolean }) => {
      if (context.used) fail(new Error('The context was used before'));
      context.used = true;
      return 'n';
    };
    const response = await responseOf(types, { Query: { nonce, broken: () => fail() } }, '{ nonce broken }');
    expect(response).toContain('"data":{"nonce":"n","broken":null}');
  });

  it('iterators are closed, and read no further than necessary', async () => {
    const open = { opened: 0, closed: 0, read: 0 };
    async function* lines() {
      open.opened += 1;
      try {
        yield { name: 'a' };
        yield { name: 'b' };
      } finally {
        open.closed += 1;
      }
    }
    function* endless() {
      yield 1;
      for (; open.read < 1_000; open.read += 1) yield null;
    }
    const types = `${HUMAN} extend type Query { numbers: [Int!] }`;
    const Query = { ps: lines, numbers: endless };
    expect(await responseOf(types, { Query }, '{ ps { name } }')).toBe(
      '{"data":{"ps":[{"name":"a"},{"name":"b"}]}}',
    );
    expect(open).toEqual({ opened: 2 * RUNS, closed: 2 * RUNS, read: 0 });
    expect(await responseOf(types, { Query }, '{ numbers }')).toContain('"numbers":null');
    expect(open.read).toBe(0);
  });

  it('built-in scalars that an application has replaced serialize its way', async () => {
    const types = 'extend type Query { id: ID  text: String  yes: Boolean  all: [String] }';
    const Query = { id: () => 7, text: () => '<b>', yes: () => true, all: () => ['<i>'] };
    const scalars: GraphQLScalarType[] = [GraphQLID, GraphQLString, GraphQLBoolean];
    const before = scalars.map(({ serialize }) => serialize);
    try {
      for (const scalar of scalars) scalar.serialize = (value) => `app: ${value}`; // affects all schemas
      const response = await responseOf(types, { Query }, '{ id text yes all __typename }');
      expect(response).toBe(
        '{"data":{"id":"app: 7","text":"app: <b>","yes":"app: true","all":["app: <i>"],"__typename":"app: Query"}}',
      );
    } finally {
      for (const [i, scalar] of scalars.entries()) Object.assign(scalar, { serialize: before[i] });
    }
  });

  it('a run that bails out does not wait for pending promises', async () => {
    const types = 'extend type Query { a: Int!  b: Int }';
    const Query = { a: down, b: () => new Promise(() => {}) };
    expect(await responseOf(types, { Query }, '{ a b }')).toContain('"data":null');
  });

  it.each<[string, Resolvers['Query'], string]>([
    ['rejected promises', { p: () => ({ name: down() }) }, '{ p { name } }'],
    [
      'rejected promises beside methods',
      { p: () => ({ name: () => 'ada', friends: down() }) },
      '{ p { name friends { name } } }',
    ],
    [
      'rejected promises beside errors',
      { p: () => ({ name: fail, friends: down() }) },
      '{ p { name friends { name } } }',
    ],
    [
      'rejected promises in items',
      { ps: () => [down(), { name: () => 'ada' }, { name: down() }] },
      '{ ps { name } }',
    ],
    [
      'arrays with custom iterators',
      { ps: () => visible([{ name: 'a' }, { hidden: true }]) },
      '{ ps { name } }',
    ],
    [
      'functions with iterators',
      { ps: () => Object.assign(() => 0, { *[Symbol.iterator]() {} }) },
      '{ ps { name } }',
    ],
    [
      'asynchronous iterators',
      { ps: () => Object.assign([], { async *[Symbol.asyncIterator]() {} }) },
      '{ ps { name } }',
    ],
    ['strings instead of lists', { ps: () => 'text' }, '{ ps { name } }'],
    ['sparse arrays', { ps: () => Object.assign([], { 2: { name: 'a' } }) }, '{ ps { name } }'],
    ['primitives instead of objects', { ps: () => ['text', 5, true, Symbol('s')] }, '{ ps { name age } }'],
    ['functions instead of objects', { p: () => Object.assign(() => 0, { age: 5 }) }, '{ p { age } }'],
    [
      'objects without prototype',
      { p: () => Object.assign(Object.create(null), { name: 'a' }) },
      '{ p { name } }',
    ],
    ['errors as values', { ps: () => [new Error('a'), { name: new Error('b') }] }, '{ ps { name } }'],
    ['errors with throwing getters', { p: () => Promise.reject(new Bad()) }, '{ p { name } }'],
    [
      'errors beside promises',
      { p: async () => ({ name: 'a' }), ps: () => fail() },
      '{ p { name } ps { name } }',
    ],
    [
      'thrown values that are not errors',
      { p: () => Promise.reject('text'), ps: async () => fail(5) },
      '{ p { name } ps { name } }',
    ],
    [
      'thenables',
      { p: () => later({ name: later('ada') }), ps: () => [later({ name: 'a' })] },
      '{ p { name } ps { name } }',
    ],
    ['thenables of rejected promises', { p: () => later(Promise.reject(new Error('no'))) }, '{ p { name } }'],
    [
      'repeated fields',
      { p: () => ({ name: 'a', friend: { age: 1, name: 'b' } }) },
      '{ p { name n: name ...F friend { name } } } fragment F on Human { friend { age } }',
    ],
    [
      'values that leaf types convert',
      { p: () => ({ name: 5, age: '7', tags: [1, true] }) },
      '{ p { name age tags } }',
    ],
    [
      'values that leaf types reject',
      { p: () => ({ name: {}, age: 'x', tags: [1, {}] }) },
      '{ p { name age tags } }',
    ],
    [
      'thenables that resolve at once',
      { p: () => ({ name: odd((ok) => ok('a')), age: 5 }) },
      '{ p { name age } }',
    ],
    [
      'thenables that resolve twice',
      { p: () => ({ name: odd((ok) => [ok('a'), ok('b')]) }) },
      '{ p { name } }',
    ],
    ['thenables that never resolve', { p: () => ({ name: odd(() => {}), age: 5 }) }, '{ p { name age } }'],
    ['thenables in lists', { ps: () => [odd((ok) => ok({ name: 'a' })), { name: 'b' }] }, '{ ps { name } }'],
    ['promises with their own `then`', { p: () => ({ name: changed('a') }) }, '{ p { name } }'],
  ])('%s give the same response on the fast path and from Yoga', async (_, Query, query) => {
    expect(await responseOf(HUMAN, { Query }, query)).toContain('{');
  });

  it.each<[string, (value: unknown) => unknown]>([
    ['null', () => null],
    ['undefined', () => undefined],
    ['a promise', async (value) => value],
    ['a promise that is rejected', down],
    ['an object', (value) => ({ value })],
    ['not a number', () => Number.NaN],
  ])('a scalar that serializes to %s gives the same response both ways', async (_, serialize) => {
    const resolvers = {
      Stamp: new GraphQLScalarType({ name: 'Stamp', serialize }),
      Query: { at: () => 1, must: () => 2, all: () => [3, Promise.resolve(4)] },
    };
    const types = 'scalar Stamp  extend type Query { at: Stamp  must: Stamp!  all: [Stamp] }';
    for (const query of ['{ at }', '{ must }', '{ all }', '{ at must all }'])
      await responseOf(types, resolvers, query);
  });

  it('generated values give the same result compiled and interpreted', async () => {
    const schema = makeExecutableSchema({ typeDefs: GENERATED });
    const document = parse('{ a b c { a b c { a } } d { a e b c { b } } e f }');
    const operation = getOperationAST(document);
    const compiled = operation && compileQuery(schema, document, operation);
    if (!operation || !compiled) throw new Error('The query must be compilable');
    const decide = () => ({ schema });
    const seen = { whole: 0, broken: 0 };
    await fc.assert(
      fc.asyncProperty(RECIPE, async (recipe) => {
        const prepared = { document, operation, operationName: undefined, decide, compiled };
        const args = () => ({ schema, document, rootValue: create(recipe), contextValue: {} });
        const response = await executeOperation(prepared, args(), () => ({}));
        const expected = await executeOperation({ ...prepared, compiled: undefined }, args(), () => ({}));
        if (expected.data === null) {
          // The second run finds promises already settled, so it may report the errors in another order.
          expect(response.data).toBeNull();
          expect(new Set(toTexts(response)).isDisjointFrom(new Set(toTexts(expected)))).toBe(false);
        } else expect(toText(response)).toBe(toText(expected));
        seen[prepared.compiled ? 'whole' : 'broken'] += 1;
      }),
      { numRuns: 2_000 },
    );
    // Both outcomes must have occurred often.
    expect(Math.min(seen.whole, seen.broken)).toBeGreaterThan(100);
  });
});

/** Sorts the errors, because their order depends on timing. */
function toText(result: ExecutionResult): string {
  return JSON.stringify([result.data, toTexts(result).sort()]);
}

function toTexts({ errors = [] }: ExecutionResult): string[] {
  return errors.map((error) => JSON.stringify(error));
}

type Resolvers = Record<string, Record<string, unknown> | GraphQLScalarType>;

function fail(error: unknown = new Error('inside')): never {
  throw error;
}

function odd(then: (settle: (value: unknown) => unknown) => unknown) {
  return { then };
}

function changed<T>(value: T): Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: the test needs a promise with its own `then`
  return Object.assign(Promise.resolve(value), { then: later(value).then });
}

function rejected(): Promise<never> {
  const promise = Promise.reject(new Error('rejected'));
  promise.catch(() => {}); // resolvers may never return it
  return promise;
}

class Bad extends Error {
  get extensions() {
    return fail();
  }
}

function visible(items: object[]): Iterable<object> {
  return Object.assign([...items], {
    *[Symbol.iterator]() {
      for (const item of items) if (!('hidden' in item)) yield item;
    },
  });
}

function later<T>(value: T): PromiseLike<T> {
  const promise = Promise.resolve(value);
  // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable
  return { then: (...callbacks) => promise.then(...callbacks) };
}

/** Has no lists of non-null items, because the executor drops pending promises of such a list. */
const GENERATED = /* GraphQL */ `
  type Query { a: String  b: Int!  c: Node  d: [Node]  e: [Int]  f: [[String]]! }
  type Node { a: String  b: Int!  c: Node  d: [Node]  e: [Int] }
`;

/** Describes how to create a value, which each run does again. */
interface Recipe {
  kind: 'plain' | 'promise' | 'thenable' | 'method' | 'getter' | 'rejected' | 'error' | 'throws' | 'null';
  value: unknown;
}

const KINDS = [
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'promise',
  'thenable',
  'method',
  'getter',
] as const;
const BAD_KINDS = ['rejected', 'error', 'throws', 'null'] as const;
const { recipe: RECIPE } = fc.letrec<{ recipe: Record<string, Recipe>; node: Recipe }>((tie) => {
  const made = (value: fc.Arbitrary<unknown>) =>
    fc.record<Recipe>({
      kind: fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...KINDS) }, fc.constantFrom(...BAD_KINDS)),
      value,
    });
  const fields = {
    a: made(fc.constantFrom('text', 'other', 5)),
    b: made(fc.integer({ min: 0, max: 9 })),
    c: tie('node'),
    d: made(fc.array(tie('node'), { maxLength: 3 })),
    e: made(fc.array(made(fc.integer({ min: 0, max: 9 })), { maxLength: 3 })),
  };
  const node = made(fc.option(fc.record(fields), { nil: undefined, depthSize: 'small' }));
  const lists = made(fc.array(made(fc.array(made(fc.constant('text')), { maxLength: 2 })), { maxLength: 2 }));
  return { recipe: fc.record({ ...fields, f: lists }), node };
});

function create(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(createOne);
  if (typeof value !== 'object' || value === null) return value;
  const object = {};
  for (const [name, recipe] of Object.entries(value as Record<string, Recipe>)) {
    const get = () => (recipe.kind === 'throws' ? fail() : createOne(recipe));
    if (recipe.kind === 'getter' || recipe.kind === 'throws') Object.defineProperty(object, name, { get });
    else if (recipe.kind === 'method') Object.assign(object, { [name]: () => create(recipe.value) });
    else Object.assign(object, { [name]: createOne(recipe) });
  }
  return object;
}

function createOne({ kind, value }: Recipe): unknown {
  if (kind === 'promise') return Promise.resolve().then(() => create(value));
  if (kind === 'thenable') return later(create(value));
  if (kind === 'rejected') return rejected();
  if (kind === 'error') return new Error('as a value');
  return kind === 'null' ? null : create(value);
}
