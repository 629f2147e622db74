// What an operation certainly needs, found from its text.
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readAccessRules } from '../../../src/authorization/access-rules.ts';
import { isSelected, withDefaults } from '../../../src/authorization/conditions.ts';
import { createGuard } from '../../../src/authorization/guard.ts';
import { planOperation, toPathArray } from '../../../src/authorization/operation-plan.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

const schema = buildSchema(`${directiveTypeDefs}
  type Query { open: Open secret: Int @auth private: Private node: Node thing: Thing only: Only onlyUnion: OnlyUnion }
  type Mutation { open: Int change: Int @auth }
  type Open implements Node { id: ID name: String secret: Int @auth open: Open private: Private }
  type Private implements Node @auth { id: ID name: String }
  interface Node { id: ID }
  union Thing = Open | Private
  interface Only { id: ID }
  type One implements Only { id: ID secret: Int @auth }
  union OnlyUnion = Private
`);
const rulebook = readAccessRules(schema, { defaultAccess: 'allow', policyNames: [] });

function planOf(text: string, operationName?: string) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('No operation has been named');
  return planOperation(schema, rulebook, document, operation);
}
const listOf = (text: string, operationName?: string) =>
  planOf(text, operationName).unconditional.flatMap(({ fields: places }) => places);
/** Each check as `Type.field at path`, places that are selected twice once. */
const placesOf = (text: string, operationName?: string) => [
  ...new Set(
    listOf(text, operationName).map(
      ({ coordinate, path }) => `${coordinate} at ${toPathArray(path).join('.')}`,
    ),
  ),
];

describe('the plan of an operation', () => {
  it.each<[string, string, string[]]>([
    ['an open field', '{ open { name } }', []],
    ['a protected field', '{ secret }', ['Query.secret at secret']],
    ['a mutation', 'mutation { open change }', ['Mutation.change at change']],
    ['an alias', '{ x: secret }', ['Query.secret at x']],
    ['two aliases', '{ x: secret y: secret }', ['Query.secret at x', 'Query.secret at y']],
    ['a field below open ones', '{ open { open { secret } } }', ['Open.secret at open.open.secret']],
    [
      'a protected type, at each of its fields',
      '{ p: private { id } }',
      ['Query.private at p', 'Private.id at p.id'],
    ],
    ['__typename of a protected type', '{ private { __typename } }', ['Query.private at private']],
    ['__typename of an open type', '{ __typename open { __typename } }', []],
    ['introspection', '{ __schema { queryType { name } } __type(name: "Private") { name } }', []],
    ['a fragment', '{ ...F } fragment F on Query { secret }', ['Query.secret at secret']],
    [
      'fragments inside fragments',
      '{ open { ...F } } fragment F on Open { ...G } fragment G on Open { s: secret }',
      ['Open.secret at open.s'],
    ],
    ['an inline fragment', '{ ... on Query { ... { secret } } }', ['Query.secret at secret']],
    ['a fragment that is defined and not used elsewhere', '{ open { ... on Node { id } } }', []],
    ['an interface: left to the wall', '{ node { id ... on Private { name } ... on Open { secret } } }', []],
    ['a union: left to the wall', '{ thing { __typename ... on Private { name } } }', []],
    [
      'an interface with one implementation',
      '{ only { ... on One { secret } } }',
      ['One.secret at only.secret'],
    ],
    [
      'a union with one member',
      '{ onlyUnion { ... on Private { id } } }',
      ['Query.onlyUnion at onlyUnion', 'Private.id at onlyUnion.id'],
    ],
    [
      'an object behind the interface that it implements',
      '{ open { ... on Node { ... on Open { secret } } } }',
      ['Open.secret at open.secret'],
    ],
    [
      'an object type’s own rule, selected through its interface',
      '{ private { ... on Node { id } } }',
      ['Query.private at private', 'Private.id at private.id'],
    ],
    ['what @skip leaves out for certain', '{ open { name } secret @skip(if: true) }', []],
    ['what @include leaves out for certain', '{ open { name } secret @include(if: false) }', []],
    ['what neither leaves out', '{ secret @skip(if: false) @include(if: true) }', ['Query.secret at secret']],
    [
      'what a fragment’s @include leaves out',
      '{ open { id } ...F @include(if: false) } fragment F on Query { secret }',
      [],
    ],
    [
      'one place that is selected twice',
      '{ secret secret ...F } fragment F on Query { secret }',
      ['Query.secret at secret'],
    ],
    [
      'one place that two fragments select different things of',
      '{ private { id } ... on Query { private { name } } }',
      ['Query.private at private', 'Private.id at private.id', 'Private.name at private.name'],
    ],
  ])('lists for %s', (_, text, expected) => {
    expect(placesOf(text).toSorted()).toEqual(expected.toSorted());
  });

  it('is that of the operation selected alone', () => {
    const document = 'query A { open { name } } query B { secret } mutation C { change }';
    expect(placesOf(document, 'A')).toEqual([]);
    expect(placesOf(document, 'B')).toEqual(['Query.secret at secret']);
    expect(placesOf(document, 'C')).toEqual(['Mutation.change at change']);
  });

  it('points to the node', () => {
    const [place] = listOf('{ x: secret }');
    expect(place?.node).toMatchObject({ kind: 'Field', alias: { value: 'x' } });
  });
});

describe('what variables decide', () => {
  it.each<[string, string, Record<string, unknown>, boolean]>([
    ['@include, true', '($v: Boolean!) { secret @include(if: $v) }', { v: true }, true],
    ['@include, false', '($v: Boolean!) { secret @include(if: $v) }', { v: false }, false],
    ['@skip, true', '($v: Boolean!) { secret @skip(if: $v) }', { v: true }, false],
    ['@skip, false', '($v: Boolean!) { secret @skip(if: $v) }', { v: false }, true],
    ['a default that includes', '($v: Boolean = true) { secret @include(if: $v) }', {}, true],
    ['a default that leaves out', '($v: Boolean = false) { secret @include(if: $v) }', {}, false],
    ['a value against the default', '($v: Boolean = false) { secret @include(if: $v) }', { v: true }, true],
    ['null against the default', '($v: Boolean = false) { secret @include(if: $v) }', { v: null }, true],
    ['a variable that is missing', '($v: Boolean!) { secret @include(if: $v) }', {}, true],
    ['a variable of another type', '($v: Boolean!) { secret @include(if: $v) }', { v: 'false' }, true],
    [
      'both, one leaving out',
      '($v: Boolean!) { secret @include(if: true) @skip(if: $v) }',
      { v: true },
      false,
    ],
    ['a fragment around', '($v: Boolean!) { ... @skip(if: $v) { secret } }', { v: true }, false],
    ['a field around', '($v: Boolean!) { open @skip(if: $v) { secret } }', { v: true }, false],
    [
      'selected twice, left out once',
      '($v: Boolean!) { secret @include(if: $v) ... on Query { secret } }',
      { v: false },
      true,
    ],
  ])('%s', (_, text, variables, selected) => {
    const operation = getOperationAST(parse(`query Q${text}`));
    const values = operation ? withDefaults(operation, variables) : {};
    expect(listOf(`query Q${text}`).some(({ conditions }) => isSelected(conditions, values))).toBe(selected);
  });
});

describe('planning a hostile operation', () => {
  /** So many fragments, each spreading the next one once for each of the directives: their number to that power ways. */
  function spreading(levels: number, selection: string, directives: readonly string[]): string {
    const fragments = Array.from({ length: levels }, (_, level) => {
      const spreads = directives.map((directive) => `...F${level + 1} ${directive}`);
      return `fragment F${level} on Query { ${spreads.join(' ')} }`;
    });
    return `{ ...F0 } ${fragments.join(' ')} fragment F${levels} on Query { ${selection} }`;
  }
  const variables = ['$a', '$b', '$c', '$d', '$e', '$f', '$g'];
  const declared = `query (${variables.map((name) => `${name}: Boolean!`).join(' ')})`;

  it.each([
    ['twice, nothing protected', `query ${spreading(19, 'open { id }', ['', ''])}`],
    ['twice, something protected', `query ${spreading(19, 'secret', ['', ''])}`],
    [
      'under two variables',
      `query ($a: Boolean!, $b: Boolean!) ${spreading(18, 'open { id }', ['@include(if: $a)', '@skip(if: $b)'])}`,
    ],
    [
      'under seven variables',
      `${declared} ${spreading(
        7,
        'open { id }',
        variables.map((name) => `@include(if: ${name})`),
      )}`,
    ],
  ])('takes no time: fragments that spread each other %s', (_, text) => {
    const document = parse(text);
    const operation = getOperationAST(document);
    if (!operation) throw new Error('There is no operation');
    const started = performance.now();
    planOperation(schema, rulebook, document, operation);
    expect(performance.now() - started).toBeLessThan(250);
  });
});

describe('a document that multiplies by fragments', () => {
  const chain = (levels: number, text: (level: number) => string) =>
    Array.from({ length: levels }, (_, level) => text(level)).join(' ');
  const multiplying = `{ open { ...F0 } } ${chain(12, (i) => `fragment F${i} on Open { a${i}: open { ...F${i + 1} } b${i}: open { ...F${i + 1} } }`)} fragment F12 on Open { secret }`;

  it('has no more places than characters', () => {
    const plan = planOf(multiplying);
    const places = plan.unconditional.flatMap((group) => group.fields);
    expect(places.length).toBeGreaterThan(0);
    expect(places.length).toBeLessThan(multiplying.length);
    expect(plan.listsEveryField).toBe(false);
  });

  it('is refused in an answer of a megabyte at most, or not much more', async () => {
    const alias = 'a'.repeat(15_000);
    const wide = Array.from({ length: 500 }, (_, i) => `s${i}: secret`).join(' ');
    const text = `{ ${alias}: open { ${wide} } }`;
    const { decide } = createGuard({ log: { warn() {} } });
    const decision = await decide({ schema, document: parse(text), contextValue: {} });
    const { errors = [] } = 'result' in decision ? decision.result : {};
    expect(errors.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors).length).toBeLessThan(1_200_000);
  });
});

it('what an interface’s types demand is read once, at however many places it stands', () => {
  const types = Array.from(
    { length: 300 },
    (_, i) => `type T${i} implements Node @auth(roles: ["r${i}"]) { id: ID next: Node }`,
  );
  const wide = buildSchema(
    `${directiveTypeDefs} type Query { node: Node } interface Node { id: ID next: Node } ${types.join(' ')}`,
  );
  const book = readAccessRules(wide, { defaultAccess: 'allow', policyNames: [] });
  let reads = 0;
  const count =
    <Args extends unknown[], R>(read: (...args: Args) => R) =>
    (...args: Args) => {
      reads += 1;
      return read(...args);
    };
  const counted = { ...book, ofAny: count(book.forAny), ofEvery: count(book.forEvery) };
  const fields = (name: string) =>
    Array.from({ length: 80 }, (_, i) => `${name}${i}: next { ...G }`).join(' ');
  const casts = Array.from({ length: 80 }, () => '... on T1 { id }').join(' ');
  const document =
    parse(`{ node { ${fields('a')} } } fragment G on Node { ${fields('b').replaceAll('...G', '...H')} }
    fragment H on Node { id ${casts} }`);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('There is no operation');
  const plan = planOperation(wide, counted, document, operation);
  expect(plan.unconditional.length).toBeGreaterThan(0);
  expect(plan.perObject).toHaveLength(301); // a role for each type, and being signed in
  expect(reads).toBeLessThan(20);
});
