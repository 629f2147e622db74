// A definition that clashes with one of Bandha's is an error naming both; `extend type` is the way to add to Bandha's types.
import { GraphQLScalarType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { type BandhaOptions, createBandha, directiveTypeDefs } from '../../../src/index.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { createSender } from '../../support/guarded-app.ts';

type Parts = Pick<BandhaOptions, 'typeDefs' | 'resolvers'>;
const start = (parts: Parts) =>
  createBandha({
    databaseUrl: 'sqlite::memory:',
    secret: 'a secret that only these tests know of',
    ...parts,
  });

async function expectClash(parts: Parts, message: string): Promise<void> {
  const error = await start(parts).then(
    async (bandha) => bandha.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toContain(message);
  // In the test kit, types with a Query of their own are a complete schema.
  if (JSON.stringify(parts.typeDefs)?.includes('"type Query')) return;
  expect(() => createTestKit(parts)).toThrow(ConfigError);
  expect(() => createTestKit(parts)).toThrow(message);
}

describe('a definition of the application', () => {
  it.each([
    [
      'a type',
      'type Session { title: String! }',
      'type Session (typeDefs, line 1): Bandha defines type Session',
    ],
    [
      'a type as an interface',
      'interface User { id: ID! }',
      'interface User (typeDefs, line 1): Bandha defines type User',
    ],
    [
      'a type as an enum',
      'enum Session { A B }',
      'enum Session (typeDefs, line 1): Bandha defines type Session',
    ],
    [
      'a type as an input',
      'input AuthPayload { id: ID }',
      'input AuthPayload (typeDefs, line 1): Bandha defines type AuthPayload',
    ],
    ['a type as a scalar', 'scalar User', 'scalar User (typeDefs, line 1): Bandha defines type User'],
    [
      'a type as a union',
      'type A { a: Int } union Session = A',
      'union Session (typeDefs, line 1): Bandha defines type Session',
    ],
    ['a scalar', 'scalar DateTime', 'scalar DateTime (typeDefs, line 1): Bandha defines scalar DateTime'],
    [
      'a scalar as a type',
      'type DateTime { iso: String }',
      'type DateTime (typeDefs, line 1): Bandha defines scalar DateTime',
    ],
    [
      'a directive',
      'directive @auth(requires: String) on FIELD_DEFINITION',
      'directive @auth (typeDefs, line 1): Bandha defines directive @auth',
    ],
    [
      'a directive with a default',
      'directive @public(ok: Boolean = true) on FIELD_DEFINITION',
      'directive @public (typeDefs, line 1): Bandha defines directive @public',
    ],
    [
      'a root field in a definition',
      'type Query { viewer: String }',
      'Query.viewer (typeDefs, line 1): Bandha defines Query.viewer',
    ],
    [
      'a root field in an extension',
      'extend type Query { viewer: User }',
      'Query.viewer (typeDefs, line 1): Bandha defines Query.viewer',
    ],
    [
      'a mutation',
      'extend type Mutation { login(email: String!, password: String!): AuthPayload! }',
      'Mutation.login (typeDefs, line 1): Bandha defines Mutation.login',
    ],
    [
      'a field of a type',
      'extend type User { email: String }',
      'User.email (typeDefs, line 1): Bandha defines User.email',
    ],
  ])('a clashing definition is an error naming both: %s', async (_, sdl, message) => {
    await expectClash({ typeDefs: sdl }, message);
    if (sdl.startsWith('type Query')) return;
    await expectClash({ typeDefs: [parse(sdl), 'extend type Query { mine: Int }'] }, message);
    const unplaced = parse(sdl, { noLocation: true });
    await expectClash({ typeDefs: unplaced }, message.replace(', line 1', ''));
  });

  it('one error names all clashing definitions, with their lines', async () => {
    const typeDefs = '\ntype Session { title: String! }\n\nscalar DateTime\n';
    const error = await start({ typeDefs }).catch((thrown: ConfigError) => thrown);
    expect((error as ConfigError).issues).toEqual([
      'type Session (typeDefs, line 2): Bandha defines type Session; rename it, or use "extend type Session"',
      "scalar DateTime (typeDefs, line 4): Bandha defines scalar DateTime; rename it, or leave it out and use Bandha's",
    ]);
  });

  it.each<[string, Parts]>([
    ['new types', { typeDefs: 'type Meeting { title: String! } extend type Query { meeting: Meeting }' }],
    [
      'new fields of Bandha’s types',
      { typeDefs: 'extend type Session { title: String } extend type User { name: String }' },
    ],
    ['new fields in a Query', { typeDefs: 'type Query { mine: Int }' }],
    ['Bandha’s own directives', { typeDefs: [directiveTypeDefs, 'extend type Query { mine: Int @auth }'] }],
    ['a rule for one of Bandha’s types', { typeDefs: 'extend type Session @auth(roles: ["admin"])' }],
    ['a definition of secureData', { typeDefs: 'extend type Query { secureData: String @auth }' }],
    [
      'resolvers of its own fields',
      { typeDefs: 'extend type User { name: String }', resolvers: { User: { name: () => 'Ada' } } },
    ],
  ])('createBandha accepts %s', async (name, parts) => {
    const bandha = await start(parts);
    expect((await createSender(bandha.yoga)('{ sessions { id } }')).status).toBe(401);
    await bandha.close();
    if (name !== 'new fields in a Query') expect(() => createTestKit(parts)).not.toThrow();
  });

  it('a schema definition with another query type is an error', async () => {
    await expect(start({ typeDefs: 'schema { query: Root } type Root { mine: Int }' })).rejects.toThrow(
      ConfigError,
    );
  });
});

describe('a resolver of the application', () => {
  it.each<[string, Parts['resolvers']]>([
    ['Query.secureData', { Query: { secureData: () => ({ message: 'taken over' }) } }],
    ['Mutation.login', { Mutation: { login: () => null } }],
    ['User.email', { User: { email: () => 'someone@example.com' } }],
    ['Query.viewer', [{}, { Query: { viewer: { resolve: () => null } } }]],
  ])('a resolver of one of Bandha’s fields is an error: %s', async (coordinate, resolvers) => {
    await expectClash({ resolvers }, `resolvers.${coordinate}: Bandha resolves this field`);
  });

  it('a resolver of one of Bandha’s scalars is an error', async () => {
    const resolvers = { DateTime: new GraphQLScalarType({ name: 'DateTime' }) };
    await expectClash({ resolvers }, 'resolvers.DateTime: Bandha resolves this scalar');
  });
});
