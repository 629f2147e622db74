// The contract, schema.graphql, as it is shipped beside the code.
import { readFileSync } from 'node:fs';
import { type DocumentNode, Kind, parse, print } from 'graphql';

/** Bandha's own schema. */
export const baseTypeDefs: DocumentNode = parse(
  readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'),
);

/** The definitions of `@auth` and `@public` in SDL, for a schema that takes only the guard. */
export const directiveTypeDefs: string = baseTypeDefs.definitions
  .filter((definition) => definition.kind === Kind.DIRECTIVE_DEFINITION)
  .map((definition) => `${print(definition)}\n`)
  .join('\n');

/** What `schema.graphql` says of a type. */
export function descriptionOf(typeName: string): string | undefined {
  const definition = baseTypeDefs.definitions.find((one) => 'name' in one && one.name?.value === typeName);
  return definition && 'description' in definition ? definition.description?.value : undefined;
}
