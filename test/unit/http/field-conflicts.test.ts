// Compares the search for field conflicts with the rule of graphql-js.
import fc from 'fast-check';
import {
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  OverlappingFieldsCanBeMergedRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { findFieldConflicts } from '../../../src/http/limits/field-conflicts.ts';
import { createValidate } from '../../../src/http/limits/validate-operation.ts';

const schema = buildSchema(`
  directive @stream(if: Boolean, label: String, initialCount: Int) on FIELD
  directive @other on FIELD
  interface Node { id: ID!, name: String, node: Node, nodes: [Node], size(a: Int, b: [Int], c: In): Int }
  interface Named { name: String, named: Named }
  input In { x: Int, y: In }
  type A implements Node & Named { id: ID!, name: String, node: A, nodes: [A], size(a: Int, b: [Int], c: In): Int, named: Named, own: String, list: [Int], deep: [[Int!]] }
  type B implements Node & Named { id: ID!, name: String, node: B, nodes: [B], size(a: Int, b: [Int], c: In): Int, named: A, own: Int, list: [Int!], deep: [[Int]] }
  type C implements Named { name: String, named: Named, own: String!, list: Int, any: Any }
  union Any = A | B | C
  type Query { a: A, b: B, c: C, any: Any, node: Node, named: Named, nodes: [Node!], own: Int, size(a: Int, b: [Int], c: In): Int, self: Query }
`);
const FIELDS = [
  'id',
  'name',
  'node',
  'nodes',
  'size',
  'named',
  'own',
  'list',
  'deep',
  'any',
  'a',
  'b',
  'c',
  'self',
  '__typename',
];
const LEAVES = new Set(['id', 'name', 'size', 'own', 'list', 'deep', '__typename']);
const TYPES = ['Query', 'A', 'B', 'C', 'Node', 'Named', 'Any', 'Nowhere'];
const ARGUMENTS = [
  '',
  '',
  '(a: 1)',
  '(a: 2)',
  '(a: 1, b: [1])',
  '(b: [1], a: 1)',
  '(a: $v)',
  '(c: {x: 1, y: {x: 2}})',
  '(c: {y: {x: 2}, x: 1})',
  '(c: {x: 1})',
];
const FRAGMENTS = ['F', 'G', 'H'];

/** Has few names, so that they conflict often. Many documents are invalid in other ways, which do not matter to the rule. */
const { selections } = fc.letrec<{ selections: string; selection: string }>((tie) => ({
  selections: fc
    .array(tie('selection'), { minLength: 1, maxLength: 5, depthIdentifier: 'd' })
    .map((all) => all.join(' ')),
  selection: fc.oneof(
    { depthIdentifier: 'd', maxDepth: 5 },
    fc.constantFrom(...FRAGMENTS).map((name) => `...${name}`),
    fc
      .tuple(
        fc.constantFrom('', '', 'x: ', 'y: '),
        fc.constantFrom(...FIELDS),
        fc.constantFrom(...ARGUMENTS),
        fc.constantFrom('', '', '', '', '', ' @other', ' @stream'),
        tie('selections'),
      )
      .map(([alias, name, args, directive, inner]) => {
        const call = `${alias}${name}${name === 'size' ? args : ''}${directive}`;
        return LEAVES.has(name) ? call : `${call} { ${inner} }`;
      }),
    fc
      .tuple(fc.constantFrom('', ...TYPES), tie('selections'))
      .map(([type, inner]) => `...${type && ` on ${type}`} { ${inner} }`),
  ),
}));
const documents = fc
  .tuple(
    fc.array(selections, { minLength: 1, maxLength: 2 }),
    fc.array(fc.tuple(fc.constantFrom(...TYPES), selections), { minLength: 3, maxLength: 3 }),
  )
  .map(([operations, fragments]) =>
    [
      ...operations.map((inner, i) => `query Q${i} { ${inner} }`),
      ...fragments.map(([type, inner], i) => `fragment ${FRAGMENTS[i]} on ${type} { ${inner} }`),
    ].join('\n'),
  );

const pairwise = (document: DocumentNode, of: GraphQLSchema = schema) =>
  validate(of, document, [OverlappingFieldsCanBeMergedRule], { maxErrors: 10_000 });

describe('the search for field conflicts', () => {
  it('finds conflicts in exactly the generated documents that graphql-js rejects', () => {
    let accepted = 0;
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        const expected = pairwise(document).length === 0;
        if (expected) accepted += 1;
        expect(findFieldConflicts(schema, document, 1_000_000).conflicts.length === 0).toBe(expected);
      }),
      { numRuns: Number(process.env.RUNS ?? 3_000) },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

describe('the validation of field conflicts', () => {
  const validateBounded = createValidate(50_000);
  /** Unrelated fields, which make a document too long for graphql-js's own rule. */
  const LONG_FIELDS = Array.from({ length: 300 }, (_, i) => `long${i}: own`).join(' ');

  it.each([
    ['two fields under one name', '{ x: own x: a { id }'],
    ['other arguments', '{ size(a: 1) size(a: 2)'],
    ['arguments and none', '{ size(a: 1) size'],
    ['subfields', '{ a { x: id } a { x: name }'],
    ['subfields of subfields', '{ a { node { x: id } } a { node { x: name } }'],
    ['subfields in one of two', '{ a { node { x: id } node { x: name } } a { node { id } }'],
    ['fragments', '{ ...P ...Q } fragment P on Query { x: own } fragment Q on Query { x: size'],
    ['types of objects that exclude each other', '{ any { ... on A { x: own } ... on B { x: own } }'],
    ['lists and single values', '{ any { ... on A { x: list } ... on C { x: list } }'],
    ['null and not null', '{ any { ... on A { x: own } ... on C { x: own } }'],
    ['deep lists', '{ any { ... on A { deep } ... on B { deep } }'],
    [
      'subfields of objects that exclude each other',
      '{ any { ... on A { x: node { y: own } } ... on B { x: node { y: own } } }',
    ],
    ['an interface and an object', '{ node { x: id ... on A { x: name } }'],
  ])('reports conflicts with the messages of graphql-js: %s', (_, start) => {
    const short = parse(`${start} }`);
    const long = parse(`${start.replace('{', '{ ...Long ')} } fragment Long on Query { ${LONG_FIELDS} }`);
    const expected = pairwise(short);
    expect(expected).toHaveLength(1);
    expect(validateBounded(schema, short, [OverlappingFieldsCanBeMergedRule])).toEqual(expected);
    const [error, ...others] = validateBounded(schema, long, [OverlappingFieldsCanBeMergedRule]);
    expect(others).toEqual([]);
    expect(error?.message).toBe(expected[0]?.message);
    expect(error?.nodes?.map(({ kind }) => kind)).toEqual(expected[0]?.nodes?.map(({ kind }) => kind));
  });

  it('accepts fields of objects that exclude each other if their types agree', () => {
    for (const text of [
      '{ any { ... on A { x: name } ... on B { x: name } ... on C { x: name } } }',
      '{ any { ... on A { size(a: 1) } ... on B { size(a: 2) } } }',
      '{ size(a: 1, b: [1]) size(b: [1], a: 1) }',
      '{ size(c: { x: 1, y: { x: 2 } }) size(c: { y: { x: 2 }, x: 1 }) }',
      '{ own @skip(if: true) own @include(if: false) }',
    ]) {
      expect(validateBounded(schema, parse(text)), text).toEqual([]);
    }
  });

  it('applies all other rules in their order', () => {
    const document = parse('{ x: own x: a { id } nowhere a }');
    expect(validateBounded(schema, document).map(({ message }) => message)).toEqual(
      validate(schema, document, specifiedRules, { hideSuggestions: true }).map(({ message }) => message),
    );
  });
});

describe('the number of compared selections', () => {
  const repeat = (count: number, part: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => part(i)).join(' ');
  const stepsOf = (text: string) => findFieldConflicts(schema, parse(text), 50_000).steps;
  const SHAPES: [string, (n: number) => string][] = [
    ['duplicates with a selection', (n) => `{ ${repeat(n, () => 'a { id }')} }`],
    ['duplicates in duplicates', (n) => `{ ${repeat(n, () => 'a { node { id name } }')} }`],
    ['inline fragments', (n) => `{ ${repeat(n, () => '... { a { id } }')} }`],
    [
      'fragments',
      (n) =>
        `{ ${repeat(n, (i) => `...F${i}`)} } ${repeat(n, (i) => `fragment F${i} on Query { a { id } }`)}`,
    ],
    [
      'fragments in duplicates',
      (n) => `{ ${repeat(n, (i) => `a { ...F${i} }`)} } ${repeat(n, (i) => `fragment F${i} on A { id }`)}`,
    ],
    [
      'a chain of fragments',
      (n) =>
        `{ ...F0 } ${repeat(n, (i) => `fragment F${i} on Query { ...F${i + 1} a { id } }`)} fragment F${n} on Query { own }`,
    ],
    ['arguments', (n) => `{ ${repeat(n, () => 'size(a: 1, b: [1, 2])')} }`],
    ['aliases with equal selections', (n) => `{ ${repeat(n, (i) => `a${i}: a { id name }`)} }`],
  ];

  it.each(SHAPES)('the number of steps grows linearly with the document: %s', (_, shape) => {
    const [small, large] = [stepsOf(shape(100)), stepsOf(shape(800))];
    expect(large).toBeLessThan(8.5 * small);
  });

  it('the search ends at its limit if fragments multiply', () => {
    const text = `{ ${repeat(300, (i) => `x${i}: a { ...Wide y${i}: id }`)} }
      fragment Wide on A { ${repeat(300, (i) => `z${i}: id`)} }`;
    const found = findFieldConflicts(schema, parse(text), 50_000);
    expect(found.steps).toBeGreaterThan(50_000);
    expect(found.steps).toBeLessThan(51_000);
    const [error, ...others] = createValidate(50_000)(schema, parse(text));
    expect(others).toEqual([]);
    expect(error?.extensions).toMatchObject({
      code: 'OPERATION_TOO_COSTLY',
      reason: 'maxComparedFields',
      limit: 50_000,
    });
  });
});
