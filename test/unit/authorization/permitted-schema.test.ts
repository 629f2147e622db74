// With introspection: 'permitted', callers see the fields that they may use, with their requirements.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import fc from 'fast-check';
import {
  buildClientSchema,
  type GraphQLSchema,
  getIntrospectionQuery,
  introspectionFromSchema,
  isInterfaceType,
  isObjectType,
  validateSchema,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/authorization/check-requirement.ts';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { createPermittedSchemas } from '../../../src/authorization/permitted-schema.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, createSender, useCaller } from '../../support/guarded-app.ts';

const SILENT = { warn() {} };
const TYPES = `
  type Query {
    open: Open
    "Only for some."
    secret: String @auth
    admin: Admin
    node: Node
    things: [Thing]
    box: Box
    rank: Rank
  }
  type Mutation { change: Int @auth(roles: ["admin"]) }
  type Open { name: String secret: Int @auth(scopes: [["read"]]) }
  "What admins see."
  type Admin @auth(roles: ["admin"]) { id: ID }
  interface Node { id: ID name: String }
  type Leaf implements Node { id: ID @auth name: String }
  type Twig implements Node { id: ID name: String }
  union Thing = Open | Admin
  type Box { secret: Int @auth }
  enum Rank @auth { HIGH }
`;
const DATA: Record<string, unknown> = {
  open: { name: 'o' },
  secret: 's',
  node: { __typename: 'Leaf', id: 1, name: 'leaf' },
  things: [{ __typename: 'Open', name: 'o' }],
  self: {},
};

const caller = (...roles: string[]) =>
  createPrincipal({ userId: crypto.randomUUID(), roles: new Set(roles) });
const ADMIN: Principal = { ...caller('admin'), scopes: new Set(['read']) };
const toCaller = (principal: Principal | null): Caller => ({
  principal,
  tokenProblem: undefined,
  now: () => new Date(),
});

function createApp(principal: Principal | null, options: GuardOptions = {}, types = TYPES) {
  const schema = mapSchema(makeExecutableSchema({ typeDefs: [directiveTypeDefs, types] }), {
    [MapperKind.ROOT_FIELD]: (config, field) => ({ ...config, resolve: () => DATA[field] }),
  });
  const guard = useGuard({ introspection: 'permitted', log: SILENT, ...options });
  const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), guard] });
  const send = createSender(yoga);
  async function introspect(): Promise<GraphQLSchema> {
    const { body } = await send(getIntrospectionQuery());
    expect(body.errors).toBeUndefined();
    const shown = buildClientSchema(body.data);
    expect(validateSchema(shown)).toEqual([]);
    return shown;
  }
  return { send, introspect };
}

function fieldsIn(schema: GraphQLSchema, typeName: string): string[] {
  const type = schema.getType(typeName);
  return isObjectType(type) || isInterfaceType(type) ? Object.keys(type.getFields()) : [];
}

describe('introspection', () => {
  it('introspection shows an anonymous caller only unprotected fields', async () => {
    const shown = await createApp(null).introspect();
    expect(fieldsIn(shown, 'Query')).toEqual(['open', 'node', 'things']);
    expect(fieldsIn(shown, 'Open')).toEqual(['name']);
    expect(fieldsIn(shown, 'Leaf')).toEqual([]);
    for (const name of ['Admin', 'Mutation', 'Box', 'Rank']) expect(shown.getType(name)).toBeUndefined();
  });

  it('introspection shows a signed-in caller fields that require sign-in only', async () => {
    const shown = await createApp(caller()).introspect();
    expect(fieldsIn(shown, 'Query')).toEqual(['open', 'secret', 'node', 'things', 'box', 'rank']);
    expect(fieldsIn(shown, 'Open')).toEqual(['name']);
    expect(fieldsIn(shown, 'Leaf')).toEqual(['id', 'name']);
    expect(shown.getType('Admin')).toBeUndefined();
  });

  it('introspection shows an admin every field, with its requirement', async () => {
    const shown = await createApp(ADMIN).introspect();
    expect(fieldsIn(shown, 'Query')).toEqual(['open', 'secret', 'admin', 'node', 'things', 'box', 'rank']);
    const query = shown.getQueryType()?.getFields();
    expect(query?.secret?.description).toBe('Only for some.\n\nNeeds sign-in.');
    expect(query?.admin?.description).toBe('Needs role admin.');
    expect(query?.open?.description ?? null).toBeNull();
    expect(shown.getType('Admin')?.description).toBe('What admins see.\n\nNeeds role admin.');
    expect(shown.getMutationType()?.getFields().change?.description).toBe('Needs role admin.');
  });

  it('__type follows the same rules as __schema', async () => {
    const query = '{ __type(name: "Admin") { name } }';
    expect((await createApp(null).send(query)).body).toEqual({ data: { __type: null } });
    expect((await createApp(ADMIN).send(query)).body).toEqual({ data: { __type: { name: 'Admin' } } });
  });

  it('introspection shows the whole schema by default', async () => {
    const shown = await createApp(null, { introspection: 'all' }).introspect();
    expect(fieldsIn(shown, 'Admin')).toEqual(['id']);
  });

  it('introspection beside data is rejected for a caller with a filtered schema', async () => {
    const query = '{ __schema { queryType { name } } node { name } things { __typename } }';
    const { status, body } = await createApp(null).send(query);
    expect(status).toBe(400);
    expect(body).not.toHaveProperty('data');
    expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(JSON.stringify(body)).not.toContain('Leaf');
  });

  it('introspection below the root is rejected for a caller with a filtered schema', async () => {
    const types = `
      type Query { self: Query open: Open hidden: Hidden @auth(roles: ["admin"]) }
      type Open { name: String }
      type Hidden { x: Int }
    `;
    const query = '{ self { __schema { types { name } } } }';
    const { status, body } = await createApp(null, {}, types).send(query);
    expect(status).toBe(400);
    expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(JSON.stringify(body)).not.toContain('Hidden');
    expect(JSON.stringify((await createApp(ADMIN, {}, types).send(query)).body.data)).toContain('Hidden');
  });

  it.each(['reject', 'null'] as const)(
    'introspection beside a denied field is rejected, onDenied %s',
    async (onDenied) => {
      const { body } = await createApp(null, { onDenied }).send('{ __schema { queryType { name } } secret }');
      expect(body.errors[0].extensions.coordinate).toBe('Query.secret');
      expect(body.data ?? null).toBeNull();
    },
  );
});

it.each<[string, string, GuardOptions?]>([
  ['every root field is protected', 'type Query { a: Int @auth b: Int @auth(roles: ["x"]) }'],
  ['Query is protected', 'type Query @auth { a: Int }'],
  ['the default is to deny', 'type Query { a: Int }', { defaultAccess: 'deny' }],
  ['types have no permitted fields', 'type Query { box: Box } type Box { a: Int @auth }'],
  [
    'unions have no permitted members',
    'type Query { u: U } union U = A | B type A { a: Int @auth } type B { b: Int @auth(roles: ["x"]) }',
  ],
])('introspection is rejected without permitted fields: %s', async (_, types, options) => {
  const { status, body } = await createApp(null, options, types).send('{ __schema { queryType { name } } }');
  expect(body.errors?.[0].extensions).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'MISSING_TOKEN' });
  expect(body).not.toHaveProperty('data');
  expect(status).toBe(401);
});

/** Each `%` is replaced by a rule. */
const TEMPLATE = `
  type Query { always: Int node: Node % holder: Holder owned: Owned union: U % pair: [Pair] leaf: Leaf % }
  interface Node % { id: ID % name: String % }
  interface Named implements Node % { id: ID name: String % title: Level % }
  type Leaf implements Node % { id: ID % name: String % }
  type Twig implements Node & Named % { id: ID % name: String title: Level % }
  interface Holder { item: Node }
  type LeafHolder implements Holder % { item: Leaf % }
  type NodeHolder implements Holder { item: Node }
  interface Owned { box: Part }
  interface Part { size: Int }
  type Box implements Part % { size: Int % }
  type Bag implements Part { size: Int }
  type BoxOwner implements Owned { box: Box }
  type BagOwner implements Owned { box: Bag }
  union U % = Leaf | Twig | Box
  union Pair = A | B
  type A % { a: Int % }
  type B % { b: Int % level(at: Level): Level }
  enum Level % { LOW HIGH }
`.replaceAll('union U %', 'union U');
const RULE_COUNT = TEMPLATE.split('%').length - 1;

describe('a filtered schema', () => {
  const filterFor = (types: string, principal: Principal | null) => {
    const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, types] });
    const { enforced, accessRules } = enforceSchema(schema, { log: SILENT });
    return createPermittedSchemas(enforced, accessRules)(toCaller(principal));
  };
  function expectValid(types: string) {
    for (const principal of [null, caller(), caller('a'), caller('a', 'b')]) {
      const schema = filterFor(types, principal);
      if (schema === undefined) continue;
      expect(validateSchema(schema).map(({ message }) => message)).toEqual([]);
      expect(validateSchema(buildClientSchema(introspectionFromSchema(schema)))).toEqual([]);
    }
  }

  it.each([
    [
      'an implementation that lost a field',
      'type Query { n: N } interface N { id: ID } type L implements N { id: ID @auth x: Int } type T implements N { id: ID }',
    ],
    [
      'a field of that type, if the interface’s field returns the interface',
      `type Query { h: H } interface H { n: N } interface N { id: ID } type LH implements H { n: L }
       type L implements N { id: ID @auth x: Int } type T implements N { id: ID }`,
    ],
    [
      'a field of a type without fields, if the interface’s field returns the interface',
      `type Query { h: H } interface H { n: N id: ID } interface N { id: ID } type LH implements H { n: L id: ID }
       type L implements N { id: ID @auth } type T implements N { id: ID } type TH implements H { n: T id: ID }`,
    ],
    [
      'a union without members',
      'type Query { o: Int u: U } union U = A | B type A @auth(roles: ["a"]) { a: Int } type B @auth(roles: ["b"]) { b: Int }',
    ],
    [
      'a union whose members lost all fields',
      'type Query { o: Int u: U } union U = A | B type A { a: Int @auth } type B { b: Int @auth(roles: ["a"]) }',
    ],
    [
      'a union that lost a member',
      'type Query { u: U } union U = A | B type A @auth { a: Int } type B { b: Int }',
    ],
    ['a type without fields', 'type Query { o: Int a: A } type A { b: B } type B { c: Int @auth }'],
    ['an argument of a protected enum', 'type Query { o(at: E): Int } enum E @auth { A }'],
    [
      'an input field of a protected enum',
      'type Query { o(at: I): Int } input I { e: E } enum E @auth { A }',
    ],
    [
      'a mutation type without fields',
      'type Query { o: Int } type Mutation { m: Int @auth } type Subscription @auth { s: Int }',
    ],
  ])('a filtered schema is valid with %s', (_, types) => {
    expectValid(types);
  });

  it('a filtered schema is valid for any combination of rules', () => {
    const rule = fc.constantFrom('', '', '', '@auth', '@auth(roles: ["a"])', '@auth(roles: ["b"])');
    fc.assert(
      fc.property(fc.array(rule, { minLength: RULE_COUNT, maxLength: RULE_COUNT }), (rules) => {
        const [first = '', ...rest] = TEMPLATE.split('%');
        expectValid(first + rest.map((text, index) => `${rules[index]}${text}`).join(''));
      }),
      { numRuns: 150 },
    );
  });

  it('callers who meet the same rules share a filtered schema', () => {
    const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, TYPES] });
    const { enforced, accessRules } = enforceSchema(schema, { log: SILENT });
    const permittedFor = createPermittedSchemas(enforced, accessRules);
    const shown = permittedFor(toCaller(caller('user')));
    expect(permittedFor(toCaller(caller('writer')))).toBe(shown);
    expect(permittedFor(toCaller(ADMIN))).not.toBe(shown);
    expect(permittedFor(toCaller(null))).not.toBe(shown);
  });

  it('the cache keeps a bounded number of filtered schemas', () => {
    const names = Array.from({ length: 40 }, (_, index) => `r${index}`);
    const fields = names.map((name) => `${name}: Int @auth(roles: ["${name}"])`).join(' ');
    const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, `type Query { o: Int ${fields} }`] });
    const { enforced, accessRules } = enforceSchema(schema, { log: SILENT });
    const permittedFor = createPermittedSchemas(enforced, accessRules);
    const first = permittedFor(toCaller(caller('r0')));
    expect(permittedFor(toCaller(caller('r0')))).toBe(first);
    for (const name of names) permittedFor(toCaller(caller(name)));
    for (const name of names.slice(1)) permittedFor(toCaller(caller(name)));
    expect(permittedFor(toCaller(caller('r0')))).not.toBe(first);
  });
});
