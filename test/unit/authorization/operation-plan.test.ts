// The plan of an operation: the requirements that its text alone determines.
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
const accessRules = readAccessRules(schema, { defaultAccess: 'allow', policyNames: [] });

function planOf(text: string, operationName?: string) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('The document has no such operation');
  return planOperation(schema, accessRules, document, operation);
}
const plannedFieldsOf = (text: string, operationName?: string) =>
  planOf(text, operationName).unconditional.flatMap(({ fields }) => fields);
/** Lists each planned field once, as `Type.field at path`. */
const describeFields = (text: string, operationName?: string) => [
  ...new Set(
    plannedFieldsOf(text, operationName).map(
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
    ['a fragment on an interface of an open object', '{ open { ... on Node { id } } }', []],
    [
      'an interface with several implementations',
      '{ node { id ... on Private { name } ... on Open { secret } } }',
      [],
    ],
    ['a union with several members', '{ thing { __typename ... on Private { name } } }', []],
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
    ['a field that a literal @skip excludes', '{ open { name } secret @skip(if: true) }', []],
    ['a field that a literal @include excludes', '{ open { name } secret @include(if: false) }', []],
    [
      'a field that literals select',
      '{ secret @skip(if: false) @include(if: true) }',
      ['Query.secret at secret'],
    ],
    [
      'a fragment that a literal @include excludes',
      '{ open { id } ...F @include(if: false) } fragment F on Query { secret }',
      [],
    ],
    [
      'a field that is selected twice',
      '{ secret secret ...F } fragment F on Query { secret }',
      ['Query.secret at secret'],
    ],
    [
      'a field of which two fragments select different fields',
      '{ private { id } ... on Query { private { name } } }',
      ['Query.private at private', 'Private.id at private.id', 'Private.name at private.name'],
    ],
  ])('the plan lists the protected fields of %s', (_, text, expected) => {
    expect(describeFields(text).toSorted()).toEqual(expected.toSorted());
  });

  it('the plan has only the fields of the operation that is run', () => {
    const document = 'query A { open { name } } query B { secret } mutation C { change }';
    expect(describeFields(document, 'A')).toEqual([]);
    expect(describeFields(document, 'B')).toEqual(['Query.secret at secret']);
    expect(describeFields(document, 'C')).toEqual(['Mutation.change at change']);
  });

  it('a planned field refers to its node', () => {
    const [field] = plannedFieldsOf('{ x: secret }');
    expect(field?.node).toMatchObject({ kind: 'Field', alias: { value: 'x' } });
  });
});

describe('@skip and @include', () => {
  it.each<[string, string, Record<string, unknown>, boolean]>([
    ['@include, true', '($v: Boolean!) { secret @include(if: $v) }', { v: true }, true],
    ['@include, false', '($v: Boolean!) { secret @include(if: $v) }', { v: false }, false],
    ['@skip, true', '($v: Boolean!) { secret @skip(if: $v) }', { v: true }, false],
    ['@skip, false', '($v: Boolean!) { secret @skip(if: $v) }', { v: false }, true],
    ['a default that includes', '($v: Boolean = true) { secret @include(if: $v) }', {}, true],
    ['a default that excludes', '($v: Boolean = false) { secret @include(if: $v) }', {}, false],
    [
      'a value that overrides the default',
      '($v: Boolean = false) { secret @include(if: $v) }',
      { v: true },
      true,
    ],
    [
      'null that overrides the default',
      '($v: Boolean = false) { secret @include(if: $v) }',
      { v: null },
      true,
    ],
    ['a variable that is missing', '($v: Boolean!) { secret @include(if: $v) }', {}, true],
    ['a variable of another type', '($v: Boolean!) { secret @include(if: $v) }', { v: 'false' }, true],
    [
      'both, of which one excludes',
      '($v: Boolean!) { secret @include(if: true) @skip(if: $v) }',
      { v: true },
      false,
    ],
    ['a condition on the fragment', '($v: Boolean!) { ... @skip(if: $v) { secret } }', { v: true }, false],
    [
      'a condition on the parent field',
      '($v: Boolean!) { open @skip(if: $v) { secret } }',
      { v: true },
      false,
    ],
    [
      'a field that is selected twice and excluded once',
      '($v: Boolean!) { secret @include(if: $v) ... on Query { secret } }',
      { v: false },
      true,
    ],
  ])('conditions decide whether a field is selected: %s', (_, text, variables, selected) => {
    const operation = getOperationAST(parse(`query Q${text}`));
    const values = operation ? withDefaults(operation, variables) : {};
    expect(plannedFieldsOf(`query Q${text}`).some(({ conditions }) => isSelected(conditions, values))).toBe(
      selected,
    );
  });
});

describe('planning an operation of an attacker', () => {
  /** Creates fragments that each spread the next one once for each directive, so that the number of paths is exponential. */
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
  ])('planning is fast for fragments that spread each other %s', (_, text) => {
    const document = parse(text);
    const operation = getOperationAST(document);
    if (!operation) throw new Error('The document has no operation');
    const started = performance.now();
    planOperation(schema, accessRules, document, operation);
    expect(performance.now() - started).toBeLessThan(250);
  });
});

describe('a document that multiplies by fragments', () => {
  const chain = (levels: number, text: (level: number) => string) =>
    Array.from({ length: levels }, (_, level) => text(level)).join(' ');
  const multiplying = `{ open { ...F0 } } ${chain(12, (i) => `fragment F${i} on Open { a${i}: open { ...F${i + 1} } b${i}: open { ...F${i + 1} } }`)} fragment F12 on Open { secret }`;

  it('a plan has fewer fields than its document has characters', () => {
    const plan = planOf(multiplying);
    const fields = plan.unconditional.flatMap((group) => group.fields);
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.length).toBeLessThan(multiplying.length);
    expect(plan.listsEveryField).toBe(false);
  });

  it('the errors of one response take little more than a megabyte', async () => {
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

it('the planner reads the rules of an interface once, however often it occurs', () => {
  const types = Array.from(
    { length: 300 },
    (_, i) => `type T${i} implements Node @auth(roles: ["r${i}"]) { id: ID next: Node }`,
  );
  const wide = buildSchema(
    `${directiveTypeDefs} type Query { node: Node } interface Node { id: ID next: Node } ${types.join(' ')}`,
  );
  const wideRules = readAccessRules(wide, { defaultAccess: 'allow', policyNames: [] });
  let reads = 0;
  const count =
    <Args extends unknown[], R>(read: (...args: Args) => R) =>
    (...args: Args) => {
      reads += 1;
      return read(...args);
    };
  const countingRules = {
    ...wideRules,
    forAny: count(wideRules.forAny),
    forEvery: count(wideRules.forEvery),
  };
  const fields = (name: string) =>
    Array.from({ length: 80 }, (_, i) => `${name}${i}: next { ...G }`).join(' ');
  const casts = Array.from({ length: 80 }, () => '... on T1 { id }').join(' ');
  const document =
    parse(`{ node { ${fields('a')} } } fragment G on Node { ${fields('b').replaceAll('...G', '...H')} }
    fragment H on Node { id ${casts} }`);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('The document has no operation');
  const plan = planOperation(wide, countingRules, document, operation);
  expect(plan.unconditional.length).toBeGreaterThan(0);
  expect(plan.perObject).toHaveLength(301); // a role for each type, and the rule that the caller is signed in
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThan(20);
});
