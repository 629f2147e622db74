// Whether types are a complete schema or extend Bandha's: one rule for `bandha schema` and for the test kit.
import { type DefinitionNode, type DocumentNode, Kind } from 'graphql';
import { baseTypeDefs } from './base-schema.ts';

/** Whether the types define a `Query` or a `schema`. Others, such as `extend type Query`, extend Bandha's schema. */
export function isStandaloneSchema(definitions: readonly DefinitionNode[]): boolean {
  return definitions.some(
    (definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION ||
      (definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Query'),
  );
}

/** @returns the definitions of Bandha's directives that a standalone schema does not define itself */
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
