// Bandha's own schema, from the text of schema.graphql.
import { type DocumentNode, Kind, parse, print } from 'graphql';
import { schemaText } from './schema.generated.ts';

/** Bandha's own schema. */
export const baseTypeDefs: DocumentNode = parse(schemaText);

/** The definitions of `@auth` and `@public` in SDL, for a schema that takes only the guard. */
export const directiveTypeDefs: string = baseTypeDefs.definitions
  .filter((definition) => definition.kind === Kind.DIRECTIVE_DEFINITION)
  .map((definition) => `${print(definition)}\n`)
  .join('\n');

/** What `schema.graphql` says of a type. */
export function getDescription(typeName: string): string | undefined {
  const definition = baseTypeDefs.definitions.find((one) => 'name' in one && one.name?.value === typeName);
  return definition && 'description' in definition ? definition.description?.value : undefined;
}
