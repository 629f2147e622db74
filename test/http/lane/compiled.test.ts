// What is compiled gives the same answers, and lets nobody through whom the guard would not.
import { makeExecutableSchema } from '@graphql-tools/schema';
import fc from 'fast-check';
import {
  type ExecutionArgs,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { createGuard } from '../../../src/guard/create-guard.ts';
import { measureOperation } from '../../../src/http/lane/measure-operation.ts';
import { createRunner } from '../../../src/http/lane/run-operation.ts';
import { directiveTypeDefs } from '../../../src/schema/base-schema.ts';
import { type MadeObject, valueAt } from '../../guard/generated/data.ts';
import { makeOperation } from '../../guard/generated/operation.ts';
import { type MadeSchema, makeSchema } from '../../guard/generated/schema.ts';
import { createPrincipal } from '../../support/guarded-app.ts';
import { request } from '../../support/raw-request.ts';
import { openDoors } from './parity-corpus.ts';

/** By then what can be compiled is. */
const RUNS = 40;
const SCHEMAS = 300;
const RULES = specifiedRules.filter(({ name }) => name !== 'NoUnusedVariablesRule');

const send = (query: string, token?: string) =>
  request(
    { headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) } },
    JSON.stringify({ query }),
  );

describe('made-up operations', () => {
  it('run compiled as they do interpreted, each field that runs having been decided on', async () => {
    const seen = { compiled: 0, interpreted: 0 };
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const isPlain = g(fc.boolean); // or nearly nothing would be compiled
        const made = makeSchema(g, {
          ruleWeight: 2,
          abstractTypes: !isPlain,
          directives: ['auth', 'federation'],
          onLeaves: true,
          onTypes: true,
        });
        const { document: text, operationName } = makeOperation(g, made, {
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
        const { plain } = guard.protect(buildSchema(made, calls));
        if (validate(plain, document, RULES).length > 0) return;
        const operation = getOperationAST(document, operationName);
        if (!operation) throw new Error('The operation is not there');
        const run = createRunner(plain);
        const decide = guard.prepare(plain, document, operationName);
        const prepared = { document, operation, operationName, decide };
        for (const roles of [[], ['admin', 'editor']]) {
          const principal = createPrincipal({ roles: new Set(roles), scopes: new Set(['x']) });
          const args = (): ExecutionArgs => ({
            schema: plain,
            document,
            operationName,
            contextValue: { principal },
          });
          const decision = await decide(args());
          if ('answer' in decision) continue;
          const answers: string[] = [];
          const called: string[] = [];
          for (let i = 0; i < RUNS; i += 1) {
            calls.length = 0;
            answers.push(JSON.stringify(await run(prepared, { ...args(), schema: decision.schema })));
            called.push(calls.toSorted().join(' '));
          }
          expect(new Set(answers).size, text).toBe(1);
          expect(new Set(called).size, text).toBe(1);
          const isCompiled = decision.schema === plain && measureOperation(plain, document) !== undefined;
          seen[isCompiled ? 'compiled' : 'interpreted'] += 1;
        }
      }),
      { numRuns: SCHEMAS, endOnFailure: true },
    );
    // Or it would have tried nothing.
    expect(seen.compiled).toBeGreaterThan(SCHEMAS / 10);
    expect(seen.interpreted).toBeGreaterThan(SCHEMAS / 10);
  }, 120_000);
});

/** Puts a condition behind some of the fields, whatever they select. */
function withConditions(text: string, condition: () => string): string {
  return text.replaceAll(
    /\b([a-z]\w*)(?= [}a-z.{])(?<!query|fragment|on)/g,
    (field) => `${field}${condition()}`,
  );
}

function buildSchema(made: MadeSchema, calls: string[]) {
  const objects = [...made.types.values()].filter(({ kind }) => kind === 'object');
  const resolvers = objects.map(({ name, fields }) => [
    name,
    Object.fromEntries(
      fields.map((field) => [
        field.name,
        (source: MadeObject | undefined) => {
          calls.push(`${name}.${field.name}`);
          return valueAt(made, field, source?.place ?? '');
        },
      ]),
    ),
  ]);
  return makeExecutableSchema({
    typeDefs: [directiveTypeDefs, made.sdl],
    resolvers: Object.fromEntries(resolvers),
  });
}

describe('a selection that a condition leaves out', () => {
  it.each([
    '{ ns { name } ns @skip(if: true) { ... on Person { secret } } }',
    '{ ns { ... on Cat { name } } ns @skip(if: true) { ... on Person { secret } } }',
    '{ ns { ... on Person { name } } ... @skip(if: true) { ns { ... on Person { secret } } } }',
    '{ thing { ... on Person { name } } thing @include(if: false) { ... on Person { secret } } }',
    '{ thing { __typename } thing @include(if: false) { ... on Person { secret } } }',
    '{ me { name } me @include(if: false) { secret } }',
  ])('stays out however often it is sent: %s', async (query) => {
    let ran = 0;
    const doors = await openDoors({
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
    for (const token of [undefined, doors.token]) {
      for (let i = 0; i < RUNS; i += 1) {
        const { lane, yoga } = await doors.both(send(query, token));
        expect(lane).toEqual(yoga);
      }
    }
    expect(ran).toBe(0);
    await doors.close();
  });
});

describe('code of the app that throws once its query is compiled', () => {
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

  it.each(Object.keys(fields))('is answered by both doors alike: %s', async (name) => {
    isBroken = false;
    const doors = await openDoors({
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
        const { lane, yoga } = await doors.both(send(query));
        expect(yoga.body.includes('errors'), yoga.body).toBe(isBroken);
        expect(yoga.body).toContain('"viewer":null');
        expect(lane).toEqual(yoga);
      }
    }
    await doors.close();
  });

  it.each([
    ['one', 'at once', (fail: () => number) => fail()],
    ['one', 'later', async (fail: () => number) => fail()],
    ['many', 'in an item', (fail: () => number) => [Promise.resolve().then(fail)]],
  ])('is run once more for the answer, and compiled no more: %s, %s', async (field, _, resolve) => {
    isBroken = false;
    let calls = 0;
    const fail = () => {
      calls += 1;
      return mayThrow(1);
    };
    const doors = await openDoors({
      typeDefs: 'extend type Query { one: Int  many: [Int] }',
      resolvers: { Query: { one: () => resolve(fail), many: () => resolve(fail) } },
    });
    const callsOf = async () => {
      calls = 0;
      await doors.both(send(`{ ${field} }`));
      return calls;
    };
    for (let i = 0; i < RUNS; i += 1) expect(await callsOf()).toBe(2);
    isBroken = true;
    expect(await callsOf()).toBe(3);
    expect(await callsOf()).toBe(2);
    await doors.close();
  });
});

describe('a field without a resolver', () => {
  const isCompiled = (info: GraphQLResolveInfo) => 'taker' in info;

  it.each<[string, () => unknown]>([
    ['a method', () => 'ada'],
    ['a promise', () => Promise.resolve('ada')],
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    ['what can be awaited', () => ({ then: (settle: (value: string) => void) => settle('ada') })],
  ])('that is %s is asked by its resolver when its query is compiled again', async (kind, make) => {
    const name = kind === 'a method' ? make : make();
    const seen: boolean[] = []; // the lane is asked first
    const person = () => ({ name, age: 36 });
    const note = <T>(value: T) => ({
      resolve: (_source: unknown, _args: unknown, _context: unknown, info: GraphQLResolveInfo) => {
        seen.push(isCompiled(info));
        return value;
      },
    });
    const doors = await openDoors({
      typeDefs: 'extend type Query { one: Person  many: [Person] }  type Person { name: String  age: Int }',
      resolvers: { Query: { one: note(person()), many: note([person(), null, person()]) } },
    });
    const ask = async (field: string) => {
      seen.length = 0;
      const { lane, yoga } = await doors.both(send(`{ ${field} { age name } }`));
      expect(yoga.body).toContain('"age":36,"name":"ada"');
      expect(lane).toEqual(yoga);
      return seen.join();
    };
    // Compiled, it is taken for plain at first; the executor answers then, and before. What is compiled later knows it.
    for (const outcomes of [
      { field: 'one', before: ['false,false', 'true,false,false'] },
      { field: 'many', before: ['false,false'] },
    ]) {
      const asked = new Set<string>();
      while (!asked.has('true,false') && asked.size < 5) asked.add(await ask(outcomes.field));
      expect([...asked]).toEqual([...outcomes.before, 'true,false']);
    }
    await doors.close();
  });

  it('is read from what only looks like an object as the executor reads it', async () => {
    const sources = [
      'text',
      5,
      true,
      Object.assign(() => 1, { length2: 'of a function' }),
      new Map([['a', 1]]),
    ];
    const doors = await openDoors({
      typeDefs: /* GraphQL */ `
        extend type Query { odd: [Odd] }
        type Odd { length: Int  length2: String  size: Int  class: String  then: String }
      `,
      // biome-ignore lint/suspicious/noThenProperty: a field may have that name
      resolvers: { Query: { odd: () => [...sources, { class: 'a word of the language', then: 'another' }] } },
    });
    for (let i = 0; i < RUNS; i += 1) {
      const { lane, yoga } = await doors.both(send('{ odd { length length2 size class then } }'));
      expect(yoga.body).toContain('"class":"a word of the language","then":"another"');
      expect(lane).toEqual(yoga);
    }
    await doors.close();
  });

  it('leaves resolvers beside it the objects of the app', async () => {
    class Person {
      readonly #name = 'Ada';
      readonly age = 36;
      friend: Person | undefined;
      get name() {
        return this.#name;
      }
      greet() {
        return `${this.#name} says hello`;
      }
    }
    const ada = new Person();
    ada.friend = new Person();
    const seen = new Set<unknown>();
    const doors = await openDoors({
      typeDefs: /* GraphQL */ `
        extend type Query { ada: Person }
        type Person { name: String  age: Int  initials: String  friend: Person  friends: [Person] }
      `,
      resolvers: {
        Query: { ada: () => ada },
        Person: {
          initials: (person: Person) => {
            seen.add(person);
            return person.greet().slice(0, 1);
          },
          friends: (person: Person) => new Set([person, person.friend]),
        },
      },
    });
    const person = 'name age initials __typename';
    const query = `{ ada { ${person} friend { ${person} } friends { ${person} friend { age } } } }`;
    for (let i = 0; i < RUNS; i += 1) {
      const { lane, yoga } = await doors.both(send(query));
      expect(yoga.body).not.toContain('errors');
      expect(lane).toEqual(yoga);
    }
    expect([...seen]).toEqual([ada, ada.friend]);
    await doors.close();
  });

  it.each(['people', 'lazy'])('lets nothing be rejected unheard where it is not plain: %s', async (field) => {
    const unheard: unknown[] = [];
    const note = (error: unknown) => void unheard.push(error);
    process.on('unhandledRejection', note);
    let isOdd = false;
    const name = () => (isOdd ? () => 'ada' : 'ada');
    const bad = async () => {
      if (isOdd) throw new Error('inside');
      return { name: 'eve' };
    };
    const doors = await openDoors({
      typeDefs: 'extend type Query { people: [Person]  lazy: [Person] }  type Person { name: String }',
      resolvers: {
        Query: {
          people: () => [bad(), { name: name() }],
          *lazy() {
            yield bad();
            yield { name: name() };
          },
        },
      },
    });
    for (isOdd of [false, true]) {
      for (let i = 0; i < RUNS; i += 1) {
        const { lane, yoga } = await doors.both(send(`{ ${field} { name } }`));
        expect(yoga.body).toContain('{"name":"ada"}');
        expect(lane).toEqual(yoga);
      }
    }
    await doors.close();
    await new Promise(setImmediate); // when Node has told of what nobody has heard
    process.off('unhandledRejection', note);
    expect(unheard).toEqual([]);
  });
});
