// Federation’s directives under the names that an `@link` gives to them.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { enforceSchema } from '../../../src/authorization/enforce-schema.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import { ConfigError } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createBandha } from '../../../src/index.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createSender, useCaller } from '../../support/guarded-app.ts';

const LINK = `
  scalar link__Import
  enum link__Purpose { SECURITY EXECUTION }
  directive @link(url: String!, as: String, import: [link__Import], for: link__Purpose) repeatable on SCHEMA
`;
const FEDERATION = 'https://specs.apollo.dev/federation/v2.9';
const LOCATIONS = 'on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM';

/** Definitions of Federation’s directives under other names. */
const signedIn = (name: string) => `directive @${name} ${LOCATIONS}`;
const scopes = (name: string) => `directive @${name}(scopes: [[String!]!]!) ${LOCATIONS}`;
const policies = (name: string) => `directive @${name}(policies: [[String!]!]!) ${LOCATIONS}`;

function build(...typeDefs: string[]): GraphQLSchema {
  return makeExecutableSchema({ typeDefs: [directiveTypeDefs, ...typeDefs] });
}
const protect = (schema: GraphQLSchema) =>
  enforceSchema(schema, { policies: { p: () => true }, log: { warn() {} } });

/** @returns the requirement of `Query.salary` */
function requirementOf(schema: GraphQLSchema) {
  const query = schema.getQueryType();
  if (!isObjectType(query)) throw new Error('The schema has no Query');
  return protect(schema).accessRules.forField(query, 'salary');
}
const link = (args: string) => `extend schema @link(${args})`;
const HR = { scopes: [['hr']] };
const P = { policies: [['p']] };

describe('an alias of a Federation directive', () => {
  it.each<[string, string[], object]>([
    [
      'an import with another name',
      [
        link(`url: "${FEDERATION}", import: [{ name: "@requiresScopes", as: "@scopes" }]`),
        scopes('scopes'),
        'type Query { salary: Int @scopes(scopes: [["hr"]]) }',
      ],
      HR,
    ],
    [
      'one import among others',
      [
        link(
          `url: "${FEDERATION}", import: ["@key", "@shareable", { name: "@policy", as: "@may" }, "FieldSet"]`,
        ),
        policies('may'),
        'type Query { salary: Int @may(policies: [["p"]]) }',
      ],
      P,
    ],
    [
      'a namespace',
      [
        link(`url: "${FEDERATION}", as: "fed"`),
        signedIn('fed__authenticated'),
        'type Query { salary: Int @fed__authenticated }',
      ],
      {},
    ],
    [
      'a namespace beside imports',
      [
        link(`url: "${FEDERATION}", as: "fed", import: ["@key"]`),
        scopes('fed__requiresScopes'),
        'type Query { salary: Int @fed__requiresScopes(scopes: [["hr"]]) }',
      ],
      HR,
    ],
    [
      'the default namespace',
      [
        link(`url: "${FEDERATION}"`),
        policies('federation__policy'),
        'type Query { salary: Int @federation__policy(policies: [["p"]]) }',
      ],
      P,
    ],
    [
      'an import under its own name',
      [link(`url: "${FEDERATION}", import: ["@authenticated"]`), 'type Query { salary: Int @authenticated }'],
      {},
    ],
    [
      'an import that is not a list',
      [
        link(`url: "${FEDERATION}", import: { name: "@authenticated", as: "@in" }`),
        signedIn('in'),
        'type Query { salary: Int @in }',
      ],
      {},
    ],
    [
      'a schema definition',
      [
        `schema @link(url: "${FEDERATION}", import: [{ name: "@authenticated", as: "@in" }]) { query: Query }`,
        signedIn('in'),
        'type Query { salary: Int @in }',
      ],
      {},
    ],
    [
      'several links',
      [
        `extend schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://example.com/caching/v1.0", import: ["@ttl"]) @link(url: "${FEDERATION}", import: [{ name: "@authenticated", as: "@in" }])`,
        signedIn('in'),
        'type Query { salary: Int @in }',
      ],
      {},
    ],
    [
      'links in several extensions',
      [
        link('url: "https://example.com/caching/v1.0", import: ["@ttl"]'),
        link(`url: "${FEDERATION}", import: ["@key"]`),
        link(
          `url: "https://specs.apollo.dev/federation/v2.8", import: [{ name: "@authenticated", as: "@in" }]`,
        ),
        signedIn('in'),
        'type Query { salary: Int @in }',
      ],
      {},
    ],
    [
      'the specification of one directive',
      [
        link('url: "https://specs.apollo.dev/requiresScopes/v0.1", as: "scopes", for: SECURITY'),
        scopes('scopes'),
        'type Query { salary: Int @scopes(scopes: [["hr"]]) }',
      ],
      HR,
    ],
    [
      'the specification of one directive, with its namespace',
      [
        link('url: "https://specs.apollo.dev/requiresScopes/v0.1", as: "rs"'),
        scopes('rs__requiresScopes'),
        'type Query { salary: Int @rs__requiresScopes(scopes: [["hr"]]) }',
      ],
      HR,
    ],
    [
      'composeDirective beside it',
      [
        `extend schema @link(url: "${FEDERATION}", import: ["@composeDirective", { name: "@authenticated", as: "@in" }]) @link(url: "https://example.com/bandha/v1.0", import: ["@auth"]) @composeDirective(name: "@auth")`,
        'directive @composeDirective(name: String!) repeatable on SCHEMA',
        signedIn('in'),
        'type Query { salary: Int @in }',
      ],
      {},
    ],
  ])('an alias restricts access like the directive: %s', (_, types, expected) => {
    expect(requirementOf(build(LINK, ...types))).toEqual([expected]);
  });

  it.each([5, 6, 7, 8, 9, 10, 11])('an alias restricts access in version 2.%i', (minor) => {
    const url = `https://specs.apollo.dev/federation/v2.${minor}`;
    const types = [
      link(`url: "${url}", import: [{ name: "@requiresScopes", as: "@scopes" }]`),
      scopes('scopes'),
    ];
    const schema = build(LINK, ...types, 'type Query { salary: Int @scopes(scopes: [["hr"]]) }');
    expect(requirementOf(schema)).toEqual([HR]);
  });

  it.each([
    ['with a namespace', '@l(url: "https://specs.apollo.dev/link/v1.0", as: "l")'],
    [
      'with an import',
      '@l(url: "https://specs.apollo.dev/link/v1.0", import: [{ name: "@link", as: "@l" }])',
    ],
    ['without a link to its specification', ''],
  ])('the reader finds an alias if @link has another name: %s', (_, self) => {
    const schema = build(
      LINK.replace('@link(', '@l('),
      `extend schema ${self} @l(url: "${FEDERATION}", import: [{ name: "@authenticated", as: "@in" }])`,
      signedIn('in'),
      'type Query { salary: Int @in }',
    );
    expect(requirementOf(schema)).toEqual([{}]);
  });

  it('the reader finds an alias in extensions.directives of the schema', () => {
    const schema = build(signedIn('in'), 'type Query { salary: Int @in }');
    const imported = [{ name: '@authenticated', as: '@in' }];
    schema.extensions = { directives: { link: [{ url: FEDERATION, import: imported }] } };
    expect(requirementOf(schema)).toEqual([{}]);
  });

  it('an alias accepts only the arguments of its directive', () => {
    const schema = build(
      LINK,
      link(`url: "${FEDERATION}", import: [{ name: "@requiresScopes", as: "@scopes" }]`),
      `directive @scopes(any: [String!]) ${LOCATIONS}`,
      'type Query { salary: Int @scopes(any: ["hr"]) }',
    );
    expect(() => protect(schema)).toThrow('Query.salary: @scopes any');
  });

  it('an alias denies in a Yoga server, in createBandha and in the test kit', async () => {
    const types = [
      LINK,
      link(`url: "${FEDERATION}", import: [{ name: "@requiresScopes", as: "@scopes" }]`),
      scopes('scopes'),
    ];
    const field = 'salary: Int @scopes(scopes: [["hr"]])';
    const yoga = createYoga({
      schema: build(...types, `type Query { ${field} }`),
      plugins: [useCaller(null), useGuard()],
      logging: false,
    });
    expect((await createSender(yoga)('{ salary }')).status).toBe(401);
    const typeDefs = [...types, `extend type Query { ${field} }`];
    const kit = createTestKit({ typeDefs });
    expect((await kit.anonymous.execute('{ salary }')).status).toBe(401);
    const bandha = await createBandha({
      databaseUrl: 'sqlite::memory:',
      secret: 'a secret that only these tests use',
      typeDefs,
    });
    expect((await createSender(bandha.yoga)('{ salary }')).status).toBe(401);
    await bandha.close();
  });
});

describe('a link with a mistake', () => {
  it.each([
    ['no version', 'url: "https://specs.apollo.dev/federation"'],
    ['an unknown version', 'url: "https://specs.apollo.dev/federation/v9.9"'],
    ['a version without a minor number', 'url: "https://specs.apollo.dev/federation/v2"'],
    ['another host', 'url: "https://specs.example.com/federation/v2.9"'],
    ['http', 'url: "http://specs.apollo.dev/federation/v2.9"'],
    ['more after the version', 'url: "https://specs.apollo.dev/federation/v2.9/more"'],
    ['a fragment', 'url: "https://specs.apollo.dev/federation/v2.9#x"'],
    ['a URN', 'url: "urn:federation"'],
    ['upper case', 'url: "https://specs.apollo.dev/Federation/v2.9"'],
    ['an import of a number', `url: "${FEDERATION}", import: [1]`],
    ['an import without a name', `url: "${FEDERATION}", import: [{ as: "@in" }]`],
    [
      'an import with an unknown key',
      `url: "${FEDERATION}", import: [{ name: "@authenticated", alias: "@in" }]`,
    ],
    [
      'an alias of a directive without @',
      `url: "${FEDERATION}", import: [{ name: "@authenticated", as: "in" }]`,
    ],
    ['an alias that is not a string', `url: "${FEDERATION}", import: [{ name: "@authenticated", as: 1 }]`],
    ['an import of a directive without @', `url: "${FEDERATION}", import: ["authenticated"]`],
    ['an empty alias', `url: "${FEDERATION}", import: [{ name: "@authenticated", as: "@" }]`],
    ['an empty namespace', `url: "${FEDERATION}", as: ""`],
    ['a namespace that is not a name', `url: "${FEDERATION}", as: "a-b"`],
  ])('a link with a mistake is a ConfigError: %s', (_, args) => {
    const schema = build(LINK, link(args), 'type Query { salary: Int }');
    expect(() => protect(schema)).toThrow(ConfigError);
    expect(() => protect(schema)).toThrow(/^schema: @link/);
  });

  it.each([
    ['@public', '{ name: "@authenticated", as: "@public" }'],
    ['@skipAuth', '{ name: "@policy", as: "@skipAuth" }'],
    ['@auth', '{ name: "@policy", as: "@auth" }'],
    ['@authenticated', '{ name: "@requiresScopes", as: "@authenticated" }'],
    ['@public for a directive without access rules', '{ name: "@inaccessible", as: "@public" }'],
    ['@auth for a directive without access rules', '{ name: "@shareable", as: "@auth" }'],
  ])('an alias that conflicts with a directive of the guard is a ConfigError: %s', (_, imported) => {
    const schema = build(
      LINK,
      link(`url: "${FEDERATION}", import: [${imported}]`),
      'type Query { salary: Int }',
    );
    expect(() => protect(schema)).toThrow(/schema: @link .*conflicts/);
  });

  it('one alias for two directives is a ConfigError', () => {
    const imported = '{ name: "@authenticated", as: "@in" }, { name: "@requiresScopes", as: "@in" }';
    const schema = build(
      LINK,
      link(`url: "${FEDERATION}", import: [${imported}]`),
      'type Query { salary: Int }',
    );
    expect(() => protect(schema)).toThrow(ConfigError);
  });

  it('another link that renames a directive of the guard is a ConfigError', () => {
    const args = 'url: "https://example.com/bandha/v1.0", import: [{ name: "@auth", as: "@guard" }]';
    const schema = build(LINK, link(args), 'type Query { salary: Int }');
    expect(() => protect(schema)).toThrow(/schema: @link/);
  });

  it.each([
    'url: "https://example.com/caching/v1.0", import: [{ name: "@ttl", as: "@cached" }]',
    'url: "https://specs.apollo.dev/link/v1.0"',
    'url: "https://specs.apollo.dev/connect/v0.1", import: ["@connect", "@source"]',
    'url: "https://specs.apollo.dev/federation/v1.0"',
    'url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", { name: "@shareable", as: "@shared" }]',
    'url: "https://specs.apollo.dev/federation/v2.9/"',
  ])('the reader accepts other links: %s', (args) => {
    expect(() => protect(build(LINK, link(args), 'type Query { salary: Int }'))).not.toThrow();
  });
});
