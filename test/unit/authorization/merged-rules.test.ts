// Two rules for one element must both hold, or startup fails: a merge never widens access.
import { mergeTypeDefs } from '@graphql-tools/merge';
import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { buildASTSchema, buildSchema, extendSchema, type GraphQLSchema, graphql, parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { ConfigError } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createBandha } from '../../../src/index.ts';
import { createTestKit } from '../../../src/testing/index.ts';

const SILENT = { warn() {} };
const QUERY = 'type Query { payroll: Payroll }';
const TWO_RULES: [string, string, string][] = [
  [
    'a type and its extension, roles',
    'type Payroll @auth(roles: ["accountant"]) { total: String }',
    'extend type Payroll @auth(roles: ["intern"]) { menu: String }',
  ],
  [
    'a type and its extension, scopes',
    'type Payroll @requiresScopes(scopes: [["pay"]]) { total: String }',
    'extend type Payroll @requiresScopes(scopes: [["menu"]]) { menu: String }',
  ],
  [
    'a type and its extension, policies',
    'type Payroll @auth(policies: [["p"]]) { total: String }',
    'extend type Payroll @auth(policies: [["q"]]) { menu: String }',
  ],
  [
    'a type and its extension, maxAge',
    'type Payroll @auth(maxAge: 60) { total: String }',
    'extend type Payroll @auth(maxAge: 6000) { menu: String }',
  ],
  [
    'an empty list of roles and a role',
    'type Payroll @auth(roles: []) { total: String }',
    'extend type Payroll @auth(roles: ["intern"]) { menu: String }',
  ],
  [
    'one role fewer in the extension',
    'type Payroll @auth(roles: ["accountant", "intern"]) { total: String }',
    'extend type Payroll @auth(roles: ["accountant"]) { menu: String }',
  ],
  [
    'one set of scopes fewer in the extension',
    'type Payroll @requiresScopes(scopes: [["pay"], ["menu"]]) { total: String }',
    'extend type Payroll @requiresScopes(scopes: [["pay"]]) { menu: String }',
  ],
  [
    'a type that is defined twice',
    'type Payroll @auth(roles: ["accountant"]) { total: String }',
    'type Payroll @auth(roles: ["intern"]) { menu: String }',
  ],
  [
    'a field that is defined twice',
    'type Payroll { total: String @auth(roles: ["accountant"]) }',
    'extend type Payroll { total: String @auth(roles: ["intern"]) }',
  ],
  [
    'a field in two extensions',
    'type Payroll { id: ID } extend type Payroll { total: String @auth(roles: ["accountant"]) }',
    'extend type Payroll { total: String @auth(roles: ["intern"]) }',
  ],
  [
    'an interface and its extension',
    'interface P @auth(roles: ["accountant"]) { total: String } type Payroll implements P { total: String menu: String }',
    'extend interface P @auth(roles: ["intern"]) { menu: String }',
  ],
  [
    'a scalar and its extension',
    'scalar Money @auth(roles: ["accountant"]) type Payroll { total: Money }',
    'extend scalar Money @auth(roles: ["intern"])',
  ],
  [
    'an enum and its extension',
    'enum Grade @auth(roles: ["accountant"]) { A } type Payroll { total: Grade }',
    'extend enum Grade @auth(roles: ["intern"]) { B }',
  ],
];
const INTERN = {
  userId: 'ada',
  roles: ['intern'],
  scopes: ['menu'],
  authenticatedAt: new Date(Date.now() - 600_000),
};
const POLICIES = { p: () => false, q: () => true };
const protect = (schema: GraphQLSchema) => enforceSchema(schema, { log: SILENT, policies: POLICIES });

/** Expects that the schema is rejected, or denies the total to a caller who meets only the second rule. */
async function expectBothRules(build: () => GraphQLSchema | Promise<GraphQLSchema>): Promise<void> {
  let enforced: GraphQLSchema;
  try {
    enforced = protect(await build()).enforced;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return;
  }
  const { data } = await graphql({
    schema: enforced,
    source: '{ payroll { total } }',
    rootValue: { payroll: { total: 'A' } },
    contextValue: { principal: INTERN },
  });
  expect(data?.payroll ?? null).not.toEqual({ total: 'A' });
  expect((data?.payroll as { total: unknown } | null | undefined)?.total ?? null).toBeNull();
}

describe('two rules for one element', () => {
  it.each(TWO_RULES)('two rules that @graphql-tools merges are a ConfigError: %s', (_, first, second) => {
    const builds = [
      () => makeExecutableSchema({ typeDefs: [directiveTypeDefs, QUERY, first, second] }),
      () => makeExecutableSchema({ typeDefs: [directiveTypeDefs, `${QUERY} ${first} ${second}`] }),
      () => makeExecutableSchema({ typeDefs: [directiveTypeDefs, QUERY, parse(first), parse(second)] }),
      () => makeExecutableSchema({ typeDefs: mergeTypeDefs([directiveTypeDefs, QUERY, first, second]) }),
      () => buildASTSchema(mergeTypeDefs([directiveTypeDefs, mergeTypeDefs([QUERY, second]), first])),
    ];
    for (const build of builds) {
      const schema = build();
      expect(() => protect(schema)).toThrow(ConfigError);
      expect(() => protect(schema)).toThrow(/@(auth|requiresScopes) must not be repeated/);
    }
  });

  it.each(TWO_RULES)(
    'two rules never widen access, however the schema is built: %s',
    async (_, first, second) => {
      const text = `${directiveTypeDefs} ${QUERY} ${first}`;
      await expectBothRules(() => extendSchema(buildSchema(text), parse(second)));
      await expectBothRules(() => extendSchema(buildSchema(text), parse(second), { assumeValidSDL: true }));
      await expectBothRules(() => buildSchema(`${text} ${second}`, { assumeValidSDL: true }));
      await expectBothRules(() => makeExecutableSchema({ typeDefs: [text, second], assumeValidSDL: true }));
    },
  );

  it.each(TWO_RULES)('createBandha and createTestKit reject two rules: %s', async (_, first, second) => {
    const types = [first, second];
    const withoutLocations = types.map((one) => parse(one, { noLocation: true }));
    for (const typeDefs of [
      [`extend ${QUERY}`, ...types],
      [`extend ${QUERY} ${types.join(' ')}`],
      [parse(`extend ${QUERY}`), ...withoutLocations],
    ]) {
      expect(() => createTestKit({ typeDefs }, { policies: POLICIES, log: SILENT })).toThrow(ConfigError);
      const bandha = createBandha({
        databaseUrl: 'sqlite::memory:',
        secret: 'a secret that only these tests use',
        typeDefs,
        policies: POLICIES,
      });
      await expect(bandha).rejects.toThrow(ConfigError);
    }
    const own = [QUERY, ...withoutLocations];
    expect(() => createTestKit({ typeDefs: own }, { policies: POLICIES, log: SILENT })).toThrow(ConfigError);
  });

  it('two rules of schemas that mergeSchemas joins are a ConfigError', () => {
    const build = (...typeDefs: string[]) =>
      makeExecutableSchema({ typeDefs: [directiveTypeDefs, ...typeDefs] });
    const lists = TWO_RULES.filter(([name]) => name.startsWith('a type and its extension, '));
    for (const [, first, second] of lists.filter(([name]) => !name.endsWith('maxAge'))) {
      const schema = mergeSchemas({
        schemas: [
          build('type Query { payroll: Payroll }', first),
          build('type Query { other: Payroll }', second.replace('extend type', 'type')),
        ],
      });
      expect(() => protect(schema)).toThrow(ConfigError);
    }
  });

  it('two rules stop a Yoga server at start', () => {
    const [[, first, second] = []] = TWO_RULES;
    const schema = makeExecutableSchema({ typeDefs: [directiveTypeDefs, QUERY, first ?? '', second ?? ''] });
    expect(() => createYoga({ schema, plugins: [useGuard()], logging: false })).toThrow('Payroll: @auth');
  });

  it('two rules of a repeatable directive must both hold', async () => {
    const repeatable = directiveTypeDefs.replaceAll(') on FIELD', ') repeatable on FIELD');
    await expectBothRules(() =>
      makeExecutableSchema({
        typeDefs: [
          repeatable,
          QUERY,
          'type Payroll @auth(roles: ["accountant"]) @auth(roles: ["intern"]) { total: String }',
          'extend type Payroll @auth(roles: ["guest"]) { menu: String }',
        ],
      }),
    );
  });

  it('rules in SDL and in extensions.directives must both hold', async () => {
    const schema = makeExecutableSchema({
      typeDefs: [directiveTypeDefs, QUERY, 'type Payroll { total: String @auth(roles: ["accountant"]) }'],
    });
    const field = (
      schema.getType('Payroll') as { getFields?: () => Record<string, { extensions: object }> }
    ).getFields?.().total;
    if (field) field.extensions = { directives: { auth: [{ roles: ['intern'] }] } };
    await expectBothRules(() => schema);
  });
});

describe('rules that a merge does not widen', () => {
  it.each([
    ['the same rule twice', '@auth(roles: ["a", "b"], maxAge: 60)', '@auth(roles: ["a", "b"], maxAge: 60)'],
    ['different arguments', '@auth(roles: ["a"])', '@auth(maxAge: 60)'],
    ['different directives', '@auth(roles: ["a"])', '@requiresScopes(scopes: [["b"]])'],
    ['a rule and none', '@auth(roles: ["a"])', ''],
  ])('the guard accepts rules that a merge does not widen: %s', (_, first, second) => {
    const typeDefs = [
      directiveTypeDefs,
      QUERY,
      `type Payroll ${first} { a: Int }`,
      `extend type Payroll ${second} { b: Int }`,
    ];
    expect(() => protect(makeExecutableSchema({ typeDefs }))).not.toThrow();
  });
});
