// The schema under test: the app's alone, or on top of Bandha's.
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
