// The requirement of each field and type, as the directives of a schema define it.
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  buildSchema,
  extendSchema,
  type GraphQLFieldConfig,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  isInterfaceType,
  isObjectType,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { readAccessRules } from '../../../src/authorization/access-rules.ts';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import type { Requirement, Rule } from '../../../src/authorization/requirement.ts';
import { ConfigError } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';

const schemaOf = (sdl: string) => buildSchema(`${directiveTypeDefs} ${sdl}`);

/** Normalizes a requirement for comparison: sorted, and without the rule `{}` if there is another rule. */
function normalize(requirement: Requirement): Requirement {
  const toKey = (rule: Rule) => JSON.stringify(rule);
  const others = requirement.filter((rule) => toKey(rule) !== '{}');
  return (others.length > 0 ? others : requirement).toSorted((a, b) => (toKey(a) < toKey(b) ? -1 : 1));
}

/** @param coordinate `Type` or `Type.field` */
function requirementAt(schema: GraphQLSchema, coordinate: string): Requirement {
  const [typeName = '', fieldName] = coordinate.split('.');
  const type = schema.getType(typeName);
  if (type === undefined) throw new Error(`${typeName} is not in the schema`);
  const accessRules = readAccessRules(schema, { defaultAccess: 'allow', policyNames: [] });
  if (fieldName === undefined) return normalize(accessRules.forType(type));
  if (!isObjectType(type) && !isInterfaceType(type)) throw new Error(`${typeName} has no fields`);
  return normalize(accessRules.forField(type, fieldName));
}

const ADMIN = { roles: ['admin'] };
const READ = { scopes: [['read']] };

describe('the requirement', () => {
  it.each<[string, string, Record<string, Requirement>]>([
    ['an open field has an empty requirement', 'type Query { a: Int }', { 'Query.a': [], Query: [] }],
    ['a field has its own rule', 'type Query { a: Int @auth b: Int }', { 'Query.a': [{}], 'Query.b': [] }],
    [
      'a rule has every argument of its directive',
      'type Query { a: Int @auth(roles: ["x", "y"], scopes: [["r", "w"], ["all"]], maxAge: 300) }',
      { 'Query.a': [{ roles: ['x', 'y'], scopes: [['r', 'w'], ['all']], maxAge: 300 }] },
    ],
    [
      'a field has the rule of its type',
      'type Query @auth { a: Int b: Int @auth(roles: ["admin"]) }',
      { Query: [{}], 'Query.a': [{}], 'Query.b': [ADMIN, {}] },
    ],
    [
      'a field has the rule of the type it returns, through lists and non-null',
      'type Query { a: [P!]! b: P } type P @auth(roles: ["admin"]) { id: ID }',
      { 'Query.a': [ADMIN], 'Query.b': [ADMIN], 'P.id': [ADMIN] },
    ],
    [
      'a field has the rule of the scalar or enum it returns',
      'scalar S @auth enum E @auth(roles: ["admin"]) { X } type Query { s: S e: [E] }',
      { 'Query.s': [{}], 'Query.e': [ADMIN] },
    ],
    [
      'a rule on an interface binds every implementation',
      'interface N @auth { id: ID } type A implements N { id: ID a: Int } type Query { a: A n: N }',
      { N: [{}], A: [{}], 'A.id': [{}], 'A.a': [{}], 'Query.a': [{}], 'Query.n': [{}] },
    ],
    [
      'a rule on an interface’s field binds only that field of every implementation',
      'interface N { id: ID @auth } type A implements N { id: ID a: Int } type Query { a: A }',
      { 'N.id': [{}], 'A.id': [{}], A: [], 'A.a': [], 'Query.a': [] },
    ],
    [
      'a rule on an interface of an interface binds every implementation',
      `interface M @auth { id: ID } interface N implements M { id: ID @auth(roles: ["admin"]) }
       type A implements N & M { id: ID } type Query { a: A }`,
      { N: [{}], A: [{}], 'A.id': [ADMIN, {}], 'Query.a': [{}] },
    ],
    [
      'a rule on one implementation leaves its interface and its siblings open',
      `interface N { id: ID } type A implements N @auth { id: ID } type B implements N { id: ID }
       union U = A | B type Query { n: N u: U }`,
      { N: [], 'N.id': [], B: [], 'B.id': [], A: [{}], U: [], 'Query.n': [], 'Query.u': [] },
    ],
    [
      'Federation’s directives have the same rules',
      'type Query { a: Int @authenticated b: Int @requiresScopes(scopes: [["read"]]) c: Int @auth(scopes: [["read"]]) }',
      { 'Query.a': [{}], 'Query.b': [READ], 'Query.c': [READ] },
    ],
    [
      'Bandha’s and Federation’s directives can be combined',
      'type Query @authenticated { a: Int @auth(roles: ["admin"]) @requiresScopes(scopes: [["read"]]) }',
      { 'Query.a': [ADMIN, READ, {}] },
    ],
    [
      'a requirement has each rule once',
      'type Query @auth { a: P @auth } type P @auth { id: ID }',
      { 'Query.a': [{}] },
    ],
    [
      'a rule with an empty list of roles is kept',
      'type Query { a: Int @auth(roles: []) }',
      { 'Query.a': [{ roles: [] }] },
    ],
  ])('%s', (_, sdl, expected) => {
    const schema = schemaOf(sdl);
    for (const [coordinate, requirement] of Object.entries(expected)) {
      expect([coordinate, requirementAt(schema, coordinate)]).toEqual([coordinate, normalize(requirement)]);
    }
  });

  it('the reader finds directives in extensions of a type, however it is built', () => {
    const base = `${directiveTypeDefs} type Query { a: P } type P { id: ID }`;
    const extension =
      'extend type P @auth { more: Int @auth(roles: ["admin"]) } extend type Query { b: Int @auth }';
    for (const schema of [
      extendSchema(buildSchema(base), parse(extension)),
      makeExecutableSchema({ typeDefs: [base, extension] }),
      buildSchema(`${base} ${extension}`),
    ]) {
      expect(requirementAt(schema, 'P.id')).toEqual([{}]);
      expect(requirementAt(schema, 'P.more')).toEqual([ADMIN]);
      expect(requirementAt(schema, 'Query.a')).toEqual([{}]);
      expect(requirementAt(schema, 'Query.b')).toEqual([{}]);
    }
  });

  it('the reader finds directives in extensions.directives of a schema built in code', () => {
    const fields = {
      object: { type: GraphQLString, extensions: { directives: { auth: ADMIN } } },
      repeated: { type: GraphQLString, extensions: { directives: { auth: [ADMIN] } } },
      bare: { type: GraphQLString, extensions: { directives: { authenticated: {} } } },
      open: { type: GraphQLString },
    };
    const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields }) });
    expect(requirementAt(schema, 'Query.object')).toEqual([ADMIN]);
    expect(requirementAt(schema, 'Query.repeated')).toEqual([ADMIN]);
    expect(requirementAt(schema, 'Query.bare')).toEqual([{}]);
    expect(requirementAt(schema, 'Query.open')).toEqual([]);
  });

  it('the reader finds directives in the list that Pothos creates', () => {
    const a = { type: GraphQLString, extensions: { directives: [{ name: 'auth', args: ADMIN }] } };
    const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { a } }) });
    expect(requirementAt(schema, 'Query.a')).toEqual([ADMIN]);
  });
});

describe('a directive with a mistake', () => {
  const inCode = (directives: Record<string, unknown>) => {
    const a: GraphQLFieldConfig<unknown, unknown> = { type: GraphQLString, extensions: { directives } };
    return new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { a } }) });
  };
  const issuesOf = (schema: GraphQLSchema) => {
    try {
      enforceSchema(schema);
    } catch (error) {
      if (error instanceof ConfigError) return error.issues;
      throw error;
    }
    throw new Error('No issue was found');
  };

  it.each<[string, Record<string, unknown>, string]>([
    ['roles as one string', { auth: { roles: 'admin' } }, 'roles'],
    ['roles that are not strings', { auth: { roles: [1] } }, 'roles'],
    ['roles of null', { auth: { roles: null } }, 'roles'],
    ['scopes as one list', { auth: { scopes: ['read'] } }, 'scopes'],
    ['scopes of numbers', { auth: { scopes: [[1]] } }, 'scopes'],
    ['a scope that no challenge can name', { auth: { scopes: [['a "b"']] } }, 'scopes'],
    ['a scope beyond ASCII', { auth: { scopes: [['lesen', 'ändern']] } }, 'scopes'],
    ['Federation’s scopes as one list', { requiresScopes: { scopes: ['read'] } }, 'scopes'],
    ['Federation’s scopes left out', { requiresScopes: {} }, 'scopes'],
    ['an undefined policy', { policy: { policies: [['p']] } }, 'polic'],
    ['Federation’s policies left out', { policy: {} }, 'polic'],
    ['a negative age', { auth: { maxAge: -1 } }, 'maxAge'],
    ['a fraction of a second', { auth: { maxAge: 0.5 } }, 'maxAge'],
    ['an age in words', { auth: { maxAge: '5m' } }, 'maxAge'],
    ['an unknown argument', { auth: { role: ['admin'] } }, 'role'],
    ['an argument of another library’s @auth', { auth: { requires: 'ADMIN' } }, 'requires'],
  ])('a directive with a mistake is a ConfigError: %s', (_, directives, named) => {
    expect(issuesOf(inCode(directives))).toEqual([expect.stringMatching(/^Query\.a: /)]);
    expect(issuesOf(inCode(directives))[0]).toContain(named);
  });

  it('@auth with arguments that only the schema defines is a ConfigError', () => {
    const schema =
      buildSchema(`enum Role { ADMIN USER } directive @auth(requires: Role = ADMIN) on FIELD_DEFINITION
      type Query { a: Int @auth(requires: ADMIN) }`);
    expect(issuesOf(schema)).toHaveLength(1);
  });

  it('a ConfigError lists every mistake by coordinate', () => {
    const schema = schemaOf(`type Query @auth(maxAge: -1) { a: A @policy(policies: [["p"]]) }
      interface N { id: ID @auth(roles: ["x"], maxAge: -2) } type A implements N { id: ID } `);
    const coordinates = issuesOf(schema).map((issue) => issue.split(':')[0]);
    expect(coordinates.toSorted()).toEqual(['N.id', 'Query', 'Query.a']);
  });
});

describe('directives that cannot be enforced', () => {
  it.each([
    [
      'an argument',
      'type Query { a(b: Int @auth): Int }',
      'Query.a(b:): access directives are not allowed on arguments',
    ],
    [
      'an input field',
      'input I { b: Int @auth } type Query { a(i: I): Int }',
      'I.b: access directives are not allowed on input fields',
    ],
    [
      'an enum value',
      'enum E { B @auth } type Query { a: E }',
      'E.B: access directives are not allowed on enum values',
    ],
    [
      'an input type',
      'input I @auth { b: Int } type Query { a(i: I): Int }',
      'I: access directives are not allowed on input types',
    ],
    [
      'the schema',
      'schema @auth { query: Query } type Query { a: Int }',
      'schema: access directives are not allowed on the schema',
    ],
    [
      'an argument, as public',
      'type Query { a(b: Int @public): Int }',
      'Query.a(b:): access directives are not allowed on arguments',
    ],
  ])('an access directive is a ConfigError on %s', (_, sdl, coordinate) => {
    const schema = makeExecutableSchema({
      typeDefs: `directive @auth on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT | ENUM_VALUE | SCHEMA
        directive @public on ARGUMENT_DEFINITION ${sdl}`,
    });
    expect(() => enforceSchema(schema)).toThrow(ConfigError);
    expect(() => enforceSchema(schema)).toThrow(coordinate);
  });
});

it('Federation’s directives restrict access under their default namespace', () => {
  const schema = makeExecutableSchema({
    typeDefs: `directive @federation__authenticated on FIELD_DEFINITION
      directive @federation__requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
      type Query { a: Int @federation__authenticated b: Int @federation__requiresScopes(scopes: [["read"]]) }`,
  });
  expect(requirementAt(schema, 'Query.a')).toEqual([{}]);
  expect(requirementAt(schema, 'Query.b')).toEqual([READ]);
});
