// The schema that is served is the one that schema.graphql describes.
import {
  buildASTSchema,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { expect, it } from 'vitest';
import { baseTypeDefs, directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';
import { startTestServer } from '../../support/test-server.ts';

it('has every type, field, argument and description of schema.graphql, and nothing else', async () => {
  const plain = await startTestServer();
  const described = lexicographicSortSchema(buildASTSchema(baseTypeDefs));
  expect(printSchema(lexicographicSortSchema(plain.bandha.schema))).toBe(printSchema(described));
  await plain.close();
});

it('has a scalar DateTime for an app’s own fields and variables', async () => {
  const { anonymous } = createTestKit({
    typeDefs: 'extend type Query { at(time: DateTime!): DateTime }',
    resolvers: { Query: { at: (_: unknown, { time }: { time: Date }) => time } },
  });
  const query = 'query ($time: DateTime!) { at(time: $time) }';
  const { data } = await anonymous.execute(query, { time: '2026-01-31T12:00:00Z' });
  expect(data).toEqual({ at: '2026-01-31T12:00:00.000Z' });
});

it('offers its directives as SDL that other SDL can follow', () => {
  const own = buildASTSchema(baseTypeDefs);
  const names = own
    .getDirectives()
    .filter((one) => !isSpecifiedDirective(one))
    .map(({ name }) => name);
  for (const name of names) expect(directiveTypeDefs).toContain(`directive @${name}`);
  expect(directiveTypeDefs.endsWith('\n')).toBe(true);
  expect(Object.values(own.getTypeMap()).filter(isSpecifiedScalarType).length).toBeGreaterThan(0);
});
