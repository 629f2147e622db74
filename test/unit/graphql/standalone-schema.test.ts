// One rule for complete schemas, shared by the test kit and `bandha schema`.
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { getMissingDirectives, isStandaloneSchema } from '../../../src/graphql/standalone-schema.ts';
import { createTestKit } from '../../../src/testing/index.ts';

describe('a schema', () => {
  it.each([
    ['type Query { a: Int }', true],
    ['schema { query: Root } type Root { a: Int }', true],
    ['"described" type Query { a: Int } extend type Query { b: Int }', true],
    ['extend type Query { a: Int }', false],
    ['type Post { id: ID }', false],
    ['extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")', false],
  ])('isStandaloneSchema requires a Query or a schema definition: %s', (sdl, isStandalone) => {
    expect(isStandaloneSchema(parse(sdl).definitions)).toBe(isStandalone);
  });

  it('getMissingDirectives gives the directives that a schema does not define', () => {
    const names = (sdl: string) =>
      getMissingDirectives(parse(sdl).definitions).definitions.map((one) =>
        'name' in one ? one.name?.value : '',
      );
    const all = names('type Query { a: Int }');
    expect(all).toEqual(expect.arrayContaining(['auth', 'public']));
    expect(names('directive @auth on OBJECT type Query { a: Int }')).toEqual(
      all.filter((name) => name !== 'auth'),
    );
  });

  it('the test kit adds no fields to a schema with its own root type', async () => {
    const kit = createTestKit({
      typeDefs: 'schema { query: Root } type Root { a: Int @auth  b: Int @public }',
      resolvers: { Root: { a: () => 1, b: () => 2 } },
    });
    expect((await kit.as().execute('{ a b }')).data).toEqual({ a: 1, b: 2 });
    expect((await kit.anonymous.execute('{ viewer { id } }')).errors?.[0]?.message).toContain('viewer');
  });
});
