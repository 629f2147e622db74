// Checks that compiled queries give the same results as the executor, and run no field that the guard would deny.
import { makeExecutableSchema } from '@graphql-tools/schema';
import fc from 'fast-check';
import {
  type ExecutionArgs,
  GraphQLScalarType,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { createGuard } from '../../../src/authorization/guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { compileQuery } from '../../../src/http/fast-path/compiler/compile-query.ts';
import { executeOperation } from '../../../src/http/fast-path/execute.ts';
import { type GeneratedObject, valueAt } from '../../support/generated/data.ts';
import { generateOperation } from '../../support/generated/operation.ts';
import { type GeneratedSchema, generateSchema } from '../../support/generated/schema.ts';
import { createPrincipal } from '../../support/guarded-app.ts';
import { request } from '../../support/raw-request.ts';
import { startServerPair } from './parity-corpus.ts';

/** Number of times that a query is sent. */
const RUNS = 3;
/** Number of generated schemas. */
const SCHEMAS = 300;
const RULES = specifiedRules.filter(({ name }) => name !== 'NoUnusedVariablesRule');

const send = (query: string, token?: string) =>
  request(
    { headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) } },
    JSON.stringify({ query }),
  );

describe('generated operations', () => {
  it('generated operations give the same result compiled and interpreted', async () => {
    const seen = { compiled: 0, interpreted: 0 };
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const isPlain = g(fc.boolean); // otherwise hardly any operation would be compilable
        const made = generateSchema(g, {
          ruleWeight: 2,
          abstractTypes: !isPlain,
          directives: ['auth', 'federation'],
          onLeaves: true,
          onTypes: true,
        });
        const { document: text, operationName } = generateOperation(g, made, {
          fragments: true,
          conditions: false,
          siblings: true,
          typenames: true,
        });
        const condition = () =>
          g(() =>
            fc.constantFrom('', '', '', ' @skip(if: true)', ' @include(if: true)', ' @include(if: false)'),
          );
        const document = parse(isPlain ? text : withConditions(text, condition));
        const calls: string[] = [];
        const guard = createGuard({ log: { warn() {} } });
        const { original: plain } = guard.protect(buildSchema(made, calls));
        if (validate(plain, document, RULES).length > 0) return;
        const operation = getOperationAST(document, operationName);
        if (!operation) throw new Error('The document has no operation');
        const decide = guard.prepare(plain, document, operationName);
        const compiled = compileQuery(plain, document, operation);
        for (const roles of [[], ['admin', 'editor']]) {
          const principal = createPrincipal({ roles: new Set(roles), scopes: new Set(['x']) });
          const args = (): ExecutionArgs => ({
            schema: plain,
            document,
            operationName,
            contextValue: { principal },
          });
          const decision = await decide(args());
          if ('result' in decision) continue;
          const results: string[] = [];
          const called: string[] = [];
          for (const prepared of [
            { document, operation, operationName, decide, compiled },
            { document, operation, operationName, decide, compiled: undefined },
          ]) {
            calls.length = 0;
            results.push(
              JSON.stringify(
                await executeOperation(
                  prepared,
                  { ...args(), schema: decision.schema },
                  () => args().contextValue,
                ),
              ),
            );
            called.push(calls.join(' '));
          }
          expect(new Set(results).size, text).toBe(1);
          expect(new Set(called).size, text).toBe(1);
          const isCompiled = decision.schema === plain && compiled !== undefined;
          seen[isCompiled ? 'compiled' : 'interpreted'] += 1;
        }
      }),
      { numRuns: SCHEMAS, endOnFailure: true },
    );
    // Both ways must have run often.
    expect(seen.compiled).toBeGreaterThan(SCHEMAS / 10);
    expect(seen.interpreted).toBeGreaterThan(SCHEMAS / 10);
  }, 120_000);
});

/** Adds a condition to some of the fields, regardless of their selections. */
function withConditions(text: string, condition: () => string): string {
  return text.replaceAll(
    /\b([a-z]\w*)(?= [}a-z.{])(?<!query|fragment|on)/g,
    (field) => `${field}${condition()}`,
  );
}

function buildSchema(made: GeneratedSchema, calls: string[]) {
  const objects = [...made.types.values()].filter(({ kind }) => kind === 'object');
  const resolvers = objects.map(({ name, fields }) => [
    name,
    Object.fromEntries(
      fields.map((field) => [
        field.name,
        (source: GeneratedObject | undefined) => {
          calls.push(`${name}.${field.name}`);
          return valueAt(made, field, source?.path ?? '');
        },
      ]),
    ),
  ]);
  return makeExecutableSchema({
    typeDefs: [directiveTypeDefs, made.sdl],
    resolvers: Object.fromEntries(resolvers),
  });
}

describe('a selection that a condition excludes', () => {
  it.each([
    '{ ns { name } ns @skip(if: true) { ... on Person { secret } } }',
    '{ ns { ... on Cat { name } } ns @skip(if: true) { ... on Person { secret } } }',
    '{ ns { ... on Person { name } } ... @skip(if: true) { ns { ... on Person { secret } } } }',
    '{ thing { ... on Person { name } } thing @include(if: false) { ... on Person { secret } } }',
    '{ thing { __typename } thing @include(if: false) { ... on Person { secret } } }',
    '{ me { name } me @include(if: false) { secret } }',
  ])('an excluded selection never runs: %s', async (query) => {
    let ran = 0;
    const pair = await startServerPair({
      typeDefs: /* GraphQL */ `
        extend type Query { me: Person  ns: [Node]  thing: Thing }
        type Person implements Node { name: String  secret: String @auth(roles: ["admin"]) }
        type Cat implements Node { name: String }
        interface Node { name: String }
        union Thing = Person | Cat
      `,
      resolvers: {
        Person: {
          secret: () => {
            ran += 1;
            return 'secret';
          },
        },
        Query: {
          me: () => ({ name: 'Ada' }),
          ns: () => [{ __typename: 'Person', name: 'Ada' }],
          thing: () => ({ __typename: 'Person', name: 'Ada' }),
        },
      },
    });
    for (const token of [undefined, pair.token]) {
      for (let i = 0; i < RUNS; i += 1) {
        const { fastPath, yoga } = await pair.sendToBoth(send(query, token));
        expect(fastPath).toEqual(yoga);
      }
    }
    expect(ran).toBe(0);
    await pair.close();
  });
});

describe('an application whose code throws after its query was compiled', () => {
  let isBroken = false;
  const mayThrow = <T>(value: T): T => {
    if (isBroken) throw new Error('inside');
    return value;
  };
  const later =
    <T>(make: () => T) =>
    async () =>
      make();
  function* numbers() {
    yield 1;
    yield mayThrow(2);
  }
  const lazy = () => ({
    get a() {
      return mayThrow(1);
    },
    b: 2,
  });
  const lazies = () => new Set([lazy(), lazy()]);
  const node = () => ({ x: 1 });
  const fields: Record<string, () => unknown> = {
    numbers,
    numbersLater: later(numbers),
    node,
    nodeLater: later(node),
    nodes: () => [node()],
    nodesLater: later(() => [node()]),
    checked: () => ({ a: 1 }),
    checkedLater: later(() => ({ a: 1 })),
    code: () => 1,
    codeLater: later(() => 1),
    codesLater: later(() => [1, Promise.resolve(2)]),
    text: () => (isBroken ? 5 : ['a']),
    textLater: later(() => (isBroken ? 5 : ['a'])),
    lazy,
    lazyLater: later(lazy),
    lazies,
    laziesLater: later(lazies),
    lazyEach: () => [later(lazy)(), lazy()],
  };

  it.each(Object.keys(fields))(
    'an error in %s gives the same response on the fast path and from Yoga',
    async (name) => {
      isBroken = false;
      const pair = await startServerPair({
        typeDefs: /* GraphQL */ `
        extend type Query {
          numbers: [Int]  numbersLater: [Int]  node: Node  nodeLater: Node  nodes: [Node]  nodesLater: [Node]
          checked: Checked  checkedLater: Checked  code: Code  codeLater: Code  codesLater: [Code]
          text: [String]  textLater: [String]
          lazy: Lazy  lazyLater: Lazy  lazies: [Lazy]  laziesLater: [Lazy]  lazyEach: [Lazy]
        }
        scalar Code
        interface Node { x: Int }
        type One implements Node { x: Int }
        type Checked { a: Int }
        type Lazy { a: Int  b: Int }
      `,
        resolvers: {
          Code: new GraphQLScalarType({ name: 'Code', serialize: mayThrow }),
          Node: { __resolveType: () => mayThrow('One') },
          Checked: { __isTypeOf: () => mayThrow(true) },
          Query: fields,
        },
      });
      const selected = { node: ' { x }', chec: ' { a }', lazi: ' { a b }', lazy: ' { a b }' };
      const query = `{ ${name}${selected[name.slice(0, 4) as keyof typeof selected] ?? ''} viewer { id } }`;
      for (isBroken of [false, true]) {
        for (let i = 0; i < RUNS; i += 1) {
          const { fastPath, yoga } = await pair.sendToBoth(send(query));
          expect(yoga.body.includes('errors'), yoga.body).toBe(isBroken);
          expect(yoga.body).toContain('"viewer":null');
          expect(fastPath).toEqual(yoga);
        }
      }
      await pair.close();
    },
  );

  it.each([
    ['one', 'at once', (fail: () => number) => fail()],
    ['one', 'later', async (fail: () => number) => fail()],
    ['many', 'in an item', (fail: () => number) => [Promise.resolve().then(fail)]],
  ])('a run that bails out runs again, and the query stays uncompiled: %s, %s', async (field, _, resolve) => {
    isBroken = false;
    let calls = 0;
    const fail = () => {
      calls += 1;
      return mayThrow(1);
    };
    const pair = await startServerPair({
      typeDefs: 'extend type Query { one: Int  many: [Int] }',
      resolvers: { Query: { one: () => resolve(fail), many: () => resolve(fail) } },
    });
    const callsOf = async () => {
      calls = 0;
      await pair.sendToBoth(send(`{ ${field} }`));
      return calls;
    };
    for (let i = 0; i < RUNS; i += 1) expect(await callsOf()).toBe(2);
    isBroken = true;
    expect(await callsOf()).toBe(3);
    expect(await callsOf()).toBe(2);
    await pair.close();
  });
});
