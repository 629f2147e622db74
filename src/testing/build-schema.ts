// The schema under test: the app's alone, or on top of Bandha's.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type DefinitionNode, type DocumentNode, type GraphQLSchema, Kind } from 'graphql';
import type { Accounts } from '../accounts/accounts.ts';
import { baseTypeDefs } from '../schema/base-schema.ts';
import {
  type AppResolvers,
  assertNoRepeatedRules,
  createSchema,
  parseTypeDefs,
  type SchemaExtension,
} from '../schema/create-schema.ts';

export interface BuildSchemaOptions extends SchemaExtension {
  accounts: Accounts;
  /** Resolvers for Bandha's own fields. */
  kitResolvers: AppResolvers;
  signup: 'open' | 'closed';
}

/**
 * Types that define a `Query` (or a `schema`) are a schema of their own, and get the definitions of the directives that they
 * lack; others, such as `extend type Query`, go on top of Bandha's schema.
 */
export function buildSchema({ typeDefs, resolvers, ...options }: BuildSchemaOptions): GraphQLSchema {
  const { accounts, signup, kitResolvers } = options;
  const documents = parseTypeDefs(typeDefs ?? []);
  const definitions = documents.flatMap((document) => document.definitions);
  if (!definitions.some(isOwnRoot)) {
    const own = resolvers === undefined ? {} : { resolvers };
    return createSchema({ accounts, signup, baseResolvers: kitResolvers, typeDefs: documents, ...own });
  }
  assertNoRepeatedRules(documents);
  return makeExecutableSchema({
    typeDefs: [directivesBeside(definitions), ...documents],
    resolvers,
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}

function isOwnRoot(definition: DefinitionNode): boolean {
  if (definition.kind === Kind.SCHEMA_DEFINITION) return true;
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Query';
}

/** Bandha's directives, but for those that are defined already. */
function directivesBeside(definitions: readonly DefinitionNode[]): DocumentNode {
  const known = new Set(
    definitions.flatMap((one) => (one.kind === Kind.DIRECTIVE_DEFINITION ? [one.name.value] : [])),
  );
  return {
    kind: Kind.DOCUMENT,
    definitions: baseTypeDefs.definitions.filter(
      (one) => one.kind === Kind.DIRECTIVE_DEFINITION && !known.has(one.name.value),
    ),
  };
}
