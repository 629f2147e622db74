// Checks the cost of operations on an application's schema.
import { buildSchema, type DocumentNode, GraphQLError, getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createBandha } from '../../../src/bandha.ts';
import { fullIntrospectionCost } from '../../../src/http/limits/introspection-cost.ts';
import { measureOperation } from '../../../src/http/limits/operation-cost.ts';
import {
  createLimitCheck,
  type OperationLimits,
  resolveOperationLimits,
} from '../../../src/http/limits/operation-limits.ts';
import { createTestKit } from '../../../src/testing/index.ts';

const schema = buildSchema(`
  interface Animal { name: String, friends: [Animal!], tags: [String!] }
  type Cat implements Animal { name: String, friends: [Animal!], tags: [String!], lives: Int }
  type Dog implements Animal { name: String, friends: [Animal!], tags: [String!], tricks: [[String!]!] }
  type Fish { name: String }
  union Any = Cat | Dog | Fish
  type Query { self: Query!, animal: Animal, animals: [Animal], any: Any, grid: [[Cat!]!]! }
`);

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

function costOf(text: string): number {
  const document = parse(text);
  const [operation] = document.definitions;
  if (operation?.kind !== 'OperationDefinition') throw new Error('The document has no operation');
  return measureOperation(schema, document, operation, { listSizeOf: () => 5 }).fields;
}

describe('the cost of an operation', () => {
  it.each([
    ['fields', '{ animal { name } }', 2],
    ['the name of a type', '{ __typename animal { __typename } }', 3],
    ['aliases', '{ a: animal { name b: name } c: animal { name } }', 5],
    ['a list as five items', '{ animals { name } }', 6],
    ['a list in a list', '{ animals { friends { name } } }', 1 + 5 * (1 + 5)],
    ['a list of lists', '{ grid { name lives } }', 1 + 25 * 2],
    ['a list of scalars', '{ animal { tags } }', 1 + 1 + 5],
    [
      'fragments wherever they are spread',
      '{ a: animal { ...F } b: animal { ...F ...F } } fragment F on Animal { name }',
      5,
    ],
    [
      'fragments in fragments',
      '{ animal { ...F ...F } } fragment F on Animal { ...G ...G } fragment G on Animal { name }',
      5,
    ],
    [
      'the most expensive type',
      '{ any { ... on Cat { name lives } ... on Dog { name } ... on Fish { name } } }',
      3,
    ],
    [
      'fields of all types beside fragments',
      '{ animal { name ... on Cat { lives } ... on Dog { name tricks } } }',
      1 + 1 + 1 + 26,
    ],
    [
      'types in nested fragments',
      '{ any { ... on Animal { ... on Cat { name lives } ... on Dog { name } } ... on Dog { a: name b: name } } }',
      4,
    ],
    ['fragments on an interface in a union', '{ any { ... on Animal { name } ... on Fish { name } } }', 2],
    [
      'literal conditions as they are met',
      '{ animal @skip(if: true) { name } b: animal { name @include(if: false) } c: animal { name @include(if: true) } }',
      3,
    ],
    [
      'fragments that literal conditions leave out',
      '{ animal { ... @include(if: false) { a: name } ...F @skip(if: true) } } fragment F on Animal { b: name }',
      1,
    ],
    [
      'conditions with a variable as met',
      'query ($v: Boolean!) { animal @skip(if: $v) { name @include(if: $v) } }',
      2,
    ],
    [
      'deferred fragments as one more',
      '{ animal { ... @defer { name } ...F @defer } } fragment F on Animal { name }',
      5,
    ],
    ['lists that come in a stream', '{ animals @stream { name } }', 6],
    ['introspection apart', '{ __schema { types { name } } animal { name } }', 2],
  ])('counts %s', (_, text, cost) => {
    expect(costOf(text)).toBe(cost);
  });

  it('fragments that multiply are counted in time proportional to the document', () => {
    const levels = 200;
    const text = `{ animal { ...F0 } } ${repeat(levels, (i) => `fragment F${i} on Animal { ...F${i + 1} ...F${i + 1} }`)} fragment F${levels} on Animal { name }`;
    expect(costOf(text)).toBe(1 + 2 ** levels);
  });

  it('the cost is infinite if a fragment contains itself', () => {
    expect(costOf('{ animal { ...F } } fragment F on Animal { friends { ...F } }')).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('the cost has an upper bound if fragments meet hundreds of types repeatedly', () => {
    const count = 400;
    const wide = buildSchema(`
      interface Wide { id: ID } interface Part { id: ID }
      ${repeat(count, (i) => `type T${i} implements Wide & Part { id: ID }`)} type Other implements Wide { id: ID }
      type Query { wide: Wide }`);
    const document = parse(`{ wide { ${repeat(1_000, () => '... on Part { id }')} } }`);
    const [operation] = document.definitions;
    if (operation?.kind !== 'OperationDefinition') throw new Error('The document has no operation');
    expect(measureOperation(wide, document, operation, { listSizeOf: () => 5 }).fields).toBe(1_001);
  });
});

describe('the cost of introspection', () => {
  const check = (text: string | DocumentNode, limits: OperationLimits = {}, of = schema) =>
    createLimitCheck(resolveOperationLimits(limits))(
      of,
      typeof text === 'string' ? parse(text) : text,
      undefined,
    );
  const costAbove = (text: string) => check(text, { maxIntrospectionCost: 1 })?.extensions.cost;

  it.each([
    ['a list by its real length', '{ __type(name: "Cat") { fields { name } } }', 2 + 4],
    [
      'what is not there',
      '{ __type(name: "Cat") { fields { args { name } type { ofType { ofType { name } } } } } }',
      undefined,
    ],
    ['a type that does not exist', '{ __type(name: "Nowhere") { fields { name } } __typename }', undefined],
    [
      'below fields that return the root',
      '{ self { self { __type(name: "Cat") { fields { name } } } } }',
      2 + 4,
    ],
    [
      'in fragments',
      '{ ...F ...F } fragment F on Query { __type(name: "Cat") { ...T } } fragment T on __Type { fields { name } }',
      2 * (2 + 4),
    ],
  ])('counts %s', (_, text, cost) => {
    // Counting stops at the limit, so a limit above the cost gives the exact number.
    const document = parse(text);
    if (cost === undefined) expect(check(document, { maxIntrospectionCost: 50 })).toBeUndefined();
    else {
      expect(check(document, { maxIntrospectionCost: cost })).toBeUndefined();
      expect(check(parse(text), { maxIntrospectionCost: cost - 1 })).toBeInstanceOf(GraphQLError);
      expect(costAbove(text)).toBeGreaterThan(1);
    }
  });

  it('the limit allows the full introspection query of a schema of any size', () => {
    const large = buildSchema(
      `type Query { ${repeat(3_000, (i) => `f${i}(a: Int, b: [String!]!): T${i}`)} } ${repeat(3_000, (i) => `type T${i} { a: [[Int!]!]!, b: T${i}, c: Float }`)}`,
    );
    const full = getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true, specifiedByUrl: true });
    expect(fullIntrospectionCost(large)).toBeGreaterThan(100_000);
    expect(check(full, {}, large)).toBeUndefined();
    const circle = '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }';
    expect(
      check(`{ ${repeat(60, (i) => `a${i}: __schema { types { fields { type { name } } } }`)} }`, {}, large)
        ?.extensions,
    ).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      reason: 'maxIntrospectionCost',
      limit: 2 * fullIntrospectionCost(large),
    });
    expect(check(circle, {}, schema)).toBeUndefined(); // it has only a few hundred fields
  });

  it('counting of introspection stops at its limit', () => {
    const text = `{ __schema { types { ...F0 } } }
      ${repeat(60, (i) => `fragment F${i} on __Type { fields { type { ...F${i + 1} ofType { ...F${i + 1} } } } }`)}
      fragment F60 on __Type { name }`;
    const extensions = check(text)?.extensions;
    expect(extensions).toMatchObject({ reason: 'maxIntrospectionCost', limit: 10_000 });
    expect(extensions?.cost).toBeGreaterThan(10_000);
  });
});

describe('the depth of an operation', () => {
  it('the limit counts nested fields with fragments expanded', async () => {
    const chain = (levels: number) =>
      `{ ...F0 } ${repeat(levels, (i) => `fragment F${i} on Query { self { ...F${i + 1} } }`)} fragment F${levels} on Query { __typename }`;
    const kit = createTestKit({ schema });
    const getExtensions = async (text: string) => (await kit.anonymous.execute(text)).errors?.[0]?.extensions;
    // The executor exceeds the stack at about 800 levels.
    expect(await getExtensions(chain(900))).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      reason: 'maxDepth',
      cost: 901,
      limit: 200,
    });
    expect(await getExtensions(chain(200))).toMatchObject({ reason: 'maxDepth' });
    expect((await getExtensions(chain(199)))?.code).not.toBe('OPERATION_TOO_COSTLY');
  });
});

describe('a subscription', () => {
  it('a subscription that is too costly is rejected before its source opens', async () => {
    let opened = 0;
    const kit = createTestKit(
      {
        typeDefs: 'type Query { a: Int } type Tick { n: Int } type Subscription { ticks: [Tick!] }',
        resolvers: {
          Subscription: {
            ticks: {
              async *subscribe() {
                opened += 1;
                yield { ticks: [{ n: 1 }] };
              },
            },
          },
        },
      },
      { operationLimits: { maxCost: 10 } },
    );
    const rejected = await kit.anonymous.execute('subscription { ticks { a: n b: n } }');
    expect(rejected.errors?.[0]?.extensions).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      cost: 11,
      limit: 10,
    });
    expect(opened).toBe(0);
    const accepted = await kit.anonymous.subscribe('subscription { ticks { n } }');
    expect((await accepted.next()).value?.data).toEqual({ ticks: [{ n: 1 }] });
  });
});

describe('the option operationLimits', () => {
  it.each<[string, unknown, string]>([
    ['an unknown name', { maxCosts: 1 }, 'operationLimits.maxCosts: is not a known option'],
    ['zero', { maxCost: 0 }, 'operationLimits.maxCost: must be a whole number above 0'],
    ['a fraction', { maxDepth: 1.5 }, 'operationLimits.maxDepth: must be a whole number above 0'],
    ['a text', { maxTokens: '10' }, 'operationLimits.maxTokens: must be a whole number above 0'],
    [
      'infinity',
      { maxRootFields: Number.POSITIVE_INFINITY },
      'operationLimits.maxRootFields: must be a whole number above 0',
    ],
    ['null', { maxCost: null }, 'operationLimits.maxCost: must be a whole number above 0'],
    [
      'a size that is none',
      { listSizes: { 'Query.a': -1 } },
      "operationLimits.listSizes['Query.a']: must be a whole number above 0",
    ],
    ['sizes that are none', { listSizes: [5] }, 'operationLimits.listSizes: must be an object'],
    ['no object', 5, 'operationLimits: must be an object'],
    ['a list', [5], 'operationLimits: must be an object'],
  ])('rejects %s', async (_, options, issue) => {
    const operationLimits = options as OperationLimits;
    await expect(createBandha({ operationLimits, databaseUrl: 'sqlite::memory:' })).rejects.toThrow(issue);
    expect(() => createTestKit({ schema }, { operationLimits })).toThrow(issue);
  });

  it('changes each limit without affecting the others', () => {
    const limits = resolveOperationLimits({
      maxCost: 3,
      listSizes: { 'Query.animals': 2 },
      maxDepth: undefined,
    });
    expect(limits).toMatchObject({
      maxCost: 3,
      maxDepth: 200,
      listSizes: { 'Query.animals': 2, 'Query.sessions': 100 },
    });
    const check = createLimitCheck(limits);
    expect(check(schema, parse('{ animals { name } }'), undefined)).toBeUndefined();
    expect(check(schema, parse('{ animals { name a: name } }'), undefined)?.message).toBe(
      'The operation costs 5 fields; maxCost allows 3.',
    );
  });

  it('applies to a test kit too', async () => {
    const kit = createTestKit({ schema }, { operationLimits: { maxRootFields: 1 } });
    const result = await kit.anonymous.execute('{ animal { name } b: animal { name } }');
    expect(result.errors?.[0]?.extensions).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      reason: 'maxRootFields',
    });
    const many = `{ ${repeat(1_000, () => 'animal { name }')} }`;
    const other = await createTestKit({ schema }).anonymous.execute(many);
    expect(other.errors?.[0]?.extensions).toMatchObject({ reason: 'maxRootFields', cost: 1_000 });
  });
});
