// Builds the schema under test: the app's own, or an extension of Bandha's.
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import type { Accounts } from '../accounts/accounts.ts';
import {
  type AppResolvers,
  assertNoRepeatedRules,
  createSchema,
  parseTypeDefs,
  type SchemaExtension,
} from '../graphql/create-schema.ts';
import { getMissingDirectives, isStandaloneSchema } from '../graphql/standalone-schema.ts';

export interface BuildSchemaOptions extends SchemaExtension {
  accounts: Accounts;
  /** Resolvers of Bandha's own fields. */
  kitResolvers: AppResolvers;
  signup: 'open' | 'closed';
}

/**
 * Builds a standalone schema from types that define `Query` or `schema`, and adds missing definitions of directives. Other types,
 * such as `extend type Query`, extend Bandha's schema.
 */
export function buildSchema({ typeDefs, resolvers, ...options }: BuildSchemaOptions): GraphQLSchema {
  const { accounts, signup, kitResolvers } = options;
  const documents = parseTypeDefs(typeDefs ?? []);
  const definitions = documents.flatMap((document) => document.definitions);
  if (!isStandaloneSchema(definitions)) {
    const own = resolvers === undefined ? {} : { resolvers };
    return createSchema({ accounts, signup, baseResolvers: kitResolvers, typeDefs: documents, ...own });
  }
  assertNoRepeatedRules(documents);
  return makeExecutableSchema({
    typeDefs: [getMissingDirectives(definitions), ...documents],
    resolvers,
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}
