// The guard never changes a schema that is passed in.
import fc from 'fast-check';
import {
  assertValidSchema,
  type GraphQLSchema,
  graphql,
  isIntrospectionType,
  isSpecifiedScalarType,
  printSchema,
} from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const TYPES = `${directiveTypeDefs}
  union U = A | B
  interface I { id: ID }
  type A implements I { id: ID }
  type B implements I @policy(policies: [["p"]]) { id: ID }
  "An admin's."
  enum Grade @auth(roles: ["admin"]) { "The first." ONE @deprecated(reason: "old") TWO }
  scalar Day @auth(roles: ["admin"])
  input Filter { "How many." limit: Int = 3 grade: Grade = ONE }
  type Query {
    u: U
    i: I
    "The grade."
    grade("Which." filter: Filter = { limit: 2 }, grade: Grade = TWO): Grade @deprecated(reason: "older")
    day(day: Day = "2026-01-01"): Day
    "Admins alone."
    secret: String @auth(roles: ["admin"])
  }
  type Mutation { wipe: B @auth(scopes: [["wipe"]]) }
  type Subscription { ticks: U }
`;
const B = { __typename: 'B', id: 'SECRET' };

function createApp() {
  return createSchema({
    typeDefs: TYPES,
    resolvers: {
      Query: { u: () => B, i: () => B, secret: () => 's', grade: () => 'ONE', day: () => 'today' },
      Mutation: { wipe: () => B },
      Subscription: { ticks: { async *subscribe() {} } },
    },
  });
}

/** Records every own property of every object that a schema refers to, to compare them later. */
function snapshot(schema: GraphQLSchema): Map<object, Record<PropertyKey, unknown>> {
  const found = new Map<object, Record<PropertyKey, unknown>>();
  const visit = (value: unknown) => {
    if (typeof value !== 'object' || value === null || found.has(value)) return;
    if (isSpecifiedScalarType(value as never) || isIntrospectionType(value as never)) return;
    const own = Object.fromEntries(Reflect.ownKeys(value).map((key) => [key, Reflect.get(value, key)]));
    found.set(value, own);
    for (const one of value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(own))
      visit(one);
  };
  visit(schema);
  return found;
}

function expectUnchanged(before: Map<object, Record<PropertyKey, unknown>>): void {
  const changed: string[] = [];
  for (const [object, own] of before) {
    for (const key of new Set([...Reflect.ownKeys(own), ...Reflect.ownKeys(object)])) {
      if (String(key).startsWith('_') && own[key] === undefined) continue; // graphql computes these when they are first read
      if (!Object.is(Reflect.get(object, key), own[key]))
        changed.push(`${object.constructor?.name} ${String(object)} ${String(key)}`);
    }
  }
  expect(changed).toEqual([]);
}

const run = (schema: GraphQLSchema) => graphql({ schema, source: '{ u { ... on B { id } } i { id } }' });
const WHOLE = { data: { u: { id: 'SECRET' }, i: { id: 'SECRET' } } };
const KINDS: GuardOptions[] = [
  {},
  { defaultAccess: 'deny' },
  { onDenied: 'null' },
  { reportOnly: true },
  { introspection: 'permitted' },
];

describe('a schema that is passed in', () => {
  it('a schema that is passed in has the same objects and properties afterwards', async () => {
    const schema = createApp();
    expect(await run(schema)).toEqual(WHOLE);
    const before = snapshot(schema);
    expect(before.size).toBeGreaterThan(200);
    for (const options of KINDS) {
      const guard = useGuard({ policies: { p: () => false }, log: { warn() {} }, ...options });
      for (const principal of [null, createPrincipal(), createPrincipal({ roles: new Set(['admin']) })]) {
        const send = createSender(
          createYoga({ schema, plugins: [useCaller(principal), guard], logging: false }),
        );
        await send('{ u { __typename } i { id } secret grade day }');
        await send('{ __schema { types { name description fields { name } } } }');
        await send('mutation { wipe { id } }');
      }
      const kit = createTestKit({ schema }, { policies: { p: () => false }, log: { warn() {} }, ...options });
      await kit.anonymous.execute('{ u { __typename } i { id } }');
      await kit.matrix({ all: '{ u { __typename } secret }' }, { ada: {} });
      kit.fieldMatrix({ ada: {} });
    }
    expectUnchanged(before);
    expect(await run(schema)).toEqual(WHOLE);
  });

  it('a schema that is passed in can be frozen', async () => {
    const schema = createApp();
    assertValidSchema(schema); // computes what graphql computes when it is first read
    for (const type of Object.values(schema.getTypeMap())) {
      if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
      if ('getFields' in type) for (const field of Object.values(type.getFields())) Object.freeze(field);
      Object.freeze(type);
    }
    const kit = createTestKit({ schema }, { policies: { p: () => false }, log: { warn() {} } });
    expect((await kit.as().execute('{ i { id } }')).data).toEqual({ i: null });
    expect((await kit.anonymous.execute('{ __schema { types { name } } }')).status).toBe(200);
  });

  it('one schema serves two servers, each with its own policies', async () => {
    const schema = createApp();
    const startServer = (isAllowed: boolean) => {
      const guard = useGuard({ policies: { p: () => isAllowed }, log: { warn() {} } });
      return createSender(
        createYoga({ schema, plugins: [useCaller(createPrincipal()), guard], logging: false }),
      );
    };
    const [denying, allowing] = [startServer(false), startServer(true)];
    for (let i = 0; i < 2; i += 1) {
      expect((await denying('{ u { ... on B { id } } i { id } }')).body.data).toEqual({ u: null, i: null });
      expect((await allowing('{ u { ... on B { id } } i { id } }')).body).toEqual(WHOLE);
    }
    expect(await run(schema)).toEqual(WHOLE);
  });

  it('a schema that is passed in is unchanged for any combination of rules', async () => {
    const rule = fc.constantFrom(
      '',
      '@auth',
      '@auth(roles: ["a"])',
      '@policy(policies: [["p"]])',
      '@requiresScopes(scopes: [["s"]])',
    );
    const property = fc.asyncProperty(fc.array(rule, { minLength: 8, maxLength: 8 }), async (rules) => {
      const [a, b, i, id, field, e, s, q] = rules;
      const schema = createSchema({
        typeDefs: `${directiveTypeDefs} union U = A | B interface I ${i} { id: ID ${id} }
          type A implements I ${a} { id: ID e: E s: S } type B implements I ${b} { id: ID }
          enum E ${e} { X } scalar S ${s} type Query ${q} { u: U i: I f: [U!]! ${field} }`,
        resolvers: { Query: { u: () => B, i: () => B, f: () => [B] } },
      });
      const source = '{ u { __typename } i { id } f { ... on B { id } } }';
      const expected = await graphql({ schema, source });
      const before = snapshot(schema);
      const printed = printSchema(schema);
      const guard = useGuard({
        policies: { p: () => false },
        log: { warn() {} },
        introspection: 'permitted',
      });
      const send = createSender(
        createYoga({ schema, plugins: [useCaller(createPrincipal()), guard], logging: false }),
      );
      await send(source);
      await send('{ __schema { types { name } } }');
      expectUnchanged(before);
      expect(printSchema(schema)).toBe(printed);
      expect(await graphql({ schema, source })).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 30 });
  });
});

it('introspection gives the same result after many other callers', async () => {
  const roles = Array.from({ length: 40 }, (_, i) => `r${i}`);
  const schema = createSchema({
    typeDefs: `${directiveTypeDefs}
      type Query { "All." all: T ${roles.map((role) => `"One." f${role}: T @auth(roles: ["${role}", "all"])`).join(' ')} e: E s: S i: I u: U }
      "A type." type T implements I @auth { "Id." id("Arg." n: Int = 1): ID }
      "An interface." interface I @auth { id(n: Int = 1): ID }
      "A union." union U = T | V
      type V { e: E }
      "An enum." enum E @auth { "A value." X @deprecated(reason: "old") }
      "A scalar." scalar S @auth @specifiedBy(url: "https://example.com")
      type N @auth { id: ID }
      extend type Query { n: N }`,
    resolvers: { I: { __resolveType: () => 'T' }, U: { __resolveType: () => 'T' } },
  });
  const kit = createTestKit({ schema }, { log: { warn() {} } });
  const query = `{ __schema { types { name description specifiedByURL
    fields(includeDeprecated: true) { name description args { name description defaultValue } deprecationReason }
    enumValues(includeDeprecated: true) { name description deprecationReason } } } }`;
  const introspect = async () => JSON.stringify((await kit.as({ roles: ['all'] }).execute(query)).data);
  const first = await introspect();
  expect(first).toContain('A type.');
  for (const role of roles) await kit.as({ roles: [role] }).execute(query);
  await kit.anonymous.execute(query);
  expect(await introspect()).toBe(first);
  const { data } = await kit
    .as({ roles: ['all'] })
    .execute<{ __schema: { types: { name: string; description: string }[] } }>(query);
  const descriptions = Object.fromEntries(
    data?.__schema.types.map(({ name, description }) => [name, description]) ?? [],
  );
  expect(descriptions).toMatchObject({
    T: 'A type.\n\nNeeds sign-in.',
    E: 'An enum.\n\nNeeds sign-in.',
    S: 'A scalar.\n\nNeeds sign-in.',
    I: 'An interface.\n\nNeeds sign-in.',
  });
});
