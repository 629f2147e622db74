// Bandha's own schema, from the text of schema.graphql.
import { type DefinitionNode, type DocumentNode, Kind, parse, print } from 'graphql';
import { schemaText } from './schema.generated.ts';

/** Bandha's schema as `npm start` serves it. */
export const baseTypeDefs: DocumentNode = parse(schemaText);

/** Bandha's schema under an application's types: without `secureData`, an example that an application has no use for. */
export const embeddedTypeDefs: DocumentNode = {
  ...baseTypeDefs,
  definitions: baseTypeDefs.definitions
    .filter((definition) => getName(definition) !== 'SecureData')
    .map((definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Query'
        ? {
            ...definition,
            fields: definition.fields?.filter(({ name }) => name.value !== 'secureData') ?? [],
          }
        : definition,
    ),
};

/**
 * The definitions of Bandha's directives in SDL, for a schema that uses only the guard.
 * @example const schema = createSchema({ typeDefs: [directiveTypeDefs, 'type Query { orders: [String!] @auth }'], resolvers })
 */
export const directiveTypeDefs: string = baseTypeDefs.definitions
  .filter((definition) => definition.kind === Kind.DIRECTIVE_DEFINITION)
  .map((definition) => `${print(definition)}\n`)
  .join('\n');

/** The coordinates of Bandha's own fields, such as `Query.viewer`. */
export const baseCoordinates: ReadonlySet<string> = new Set(
  embeddedTypeDefs.definitions.flatMap((type) =>
    type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? (type.fields ?? []).map((field) => `${type.name.value}.${field.name.value}`)
      : [],
  ),
);

/** @returns the description of a type in `schema.graphql` */
export function getDescription(typeName: string): string | undefined {
  const definition = baseTypeDefs.definitions.find((one) => getName(one) === typeName);
  return definition && 'description' in definition ? definition.description?.value : undefined;
}

/** @returns undefined for a `schema` definition, which has no name */
function getName(definition: DefinitionNode): string | undefined {
  return 'name' in definition ? definition.name?.value : undefined;
}
