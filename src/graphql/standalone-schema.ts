// Whether types are a schema of their own, or go on top of Bandha's: one rule for `bandha schema` and for the test kit.
import { type DefinitionNode, type DocumentNode, Kind } from 'graphql';
import { baseTypeDefs } from './base-schema.ts';

/** Types that define a `Query`, or a `schema`, stand alone; others, such as `extend type Query`, go on top of Bandha's. */
export function isStandaloneSchema(definitions: readonly DefinitionNode[]): boolean {
  return definitions.some(
    (definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION ||
      (definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Query'),
  );
}

/** Bandha's directives that the types of a standalone schema do not define themselves. */
export function getMissingDirectives(definitions: readonly DefinitionNode[]): DocumentNode {
  const defined = new Set(
    definitions.flatMap((one) => (one.kind === Kind.DIRECTIVE_DEFINITION ? [one.name.value] : [])),
  );
  return {
    kind: Kind.DOCUMENT,
    definitions: baseTypeDefs.definitions.filter(
      (one) => one.kind === Kind.DIRECTIVE_DEFINITION && !defined.has(one.name.value),
    ),
  };
}

/** The coordinates of Bandha's own fields, such as `Query.viewer`. */
export const baseCoordinates: ReadonlySet<string> = new Set(
  baseTypeDefs.definitions.flatMap((type) =>
    type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? (type.fields ?? []).map((field) => `${type.name.value}.${field.name.value}`)
      : [],
  ),
);
