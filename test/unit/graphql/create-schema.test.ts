// Bandha's schema is the one that schema.graphql describes; secureData is left out under an application's types.
import {
  buildASTSchema,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  parse,
  printSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { baseTypeDefs, directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { startTestServer } from '../../support/test-server.ts';

it('a server without typeDefs has schema.graphql, descriptions included', async () => {
  const server = await startTestServer();
  const described = lexicographicSortSchema(buildASTSchema(baseTypeDefs));
  expect(printSchema(lexicographicSortSchema(server.bandha.schema))).toBe(printSchema(described));
  await server.close();
});

describe('a server with typeDefs', () => {
  const SDL = 'extend type Query { mine: Int @auth }';

  it.each([SDL, [SDL], parse(SDL)])(
    'the schema has the fields of both, without secureData: %#',
    async (typeDefs) => {
      const { bandha, close } = await startTestServer({ typeDefs });
      const { Query, SecureData } = bandha.schema.getTypeMap();
      expect(Query && 'getFields' in Query ? Object.keys(Query.getFields()) : []).toEqual([
        'viewer',
        'sessions',
        'mine',
      ]);
      expect(SecureData).toBeUndefined();
      await close();
    },
  );

  it('empty typeDefs leave secureData in the schema', async () => {
    const { bandha, close } = await startTestServer({ typeDefs: ['', ' '], resolvers: {} });
    expect(bandha.schema.getQueryType()?.getFields()).toHaveProperty('secureData');
    await close();
  });

  it('an application may define secureData itself', async () => {
    const { anonymous, as } = createTestKit({
      typeDefs: 'extend type Query { secureData: SecureData @auth } type SecureData { rows: Int }',
      resolvers: { Query: { secureData: () => ({ rows: 3 }) } },
    });
    expect(await anonymous.execute('{ secureData { rows } }')).toMatchObject({ status: 401 });
    expect((await as().execute('{ secureData { rows } }')).data).toEqual({ secureData: { rows: 3 } });
  });

  it('rejects a resolver of secureData that it does not define', async () => {
    const resolvers = { Query: { secureData: () => ({ message: 'taken over' }) } };
    await expect(startTestServer({ typeDefs: SDL, resolvers })).rejects.toThrow('Query.secureData');
  });
});

it('a field of the application may have the type DateTime', async () => {
  const { anonymous } = createTestKit({
    typeDefs: 'extend type Query { at(time: DateTime!): DateTime }',
    resolvers: { Query: { at: (_: unknown, { time }: { time: Date }) => time } },
  });
  const query = 'query ($time: DateTime!) { at(time: $time) }';
  const { data } = await anonymous.execute(query, { time: '2026-01-31T12:00:00Z' });
  expect(data).toEqual({ at: '2026-01-31T12:00:00.000Z' });
});

it('directiveTypeDefs defines every directive, and other SDL may follow', () => {
  const own = buildASTSchema(baseTypeDefs);
  const names = own
    .getDirectives()
    .filter((one) => !isSpecifiedDirective(one))
    .map(({ name }) => name);
  for (const name of names) expect(directiveTypeDefs).toContain(`directive @${name}`);
  expect(directiveTypeDefs.endsWith('\n')).toBe(true);
  expect(Object.values(own.getTypeMap()).filter(isSpecifiedScalarType).length).toBeGreaterThan(0);
});
