// Builds the schema under test: the app's own, or an extension of Bandha's.
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import type { Accounts } from '../accounts/accounts.ts';
import {
  assertNoRepeatedRules,
  createSchema,
  parseTypeDefs,
  type SchemaExtension,
} from '../graphql/create-schema.ts';
import type { ReadOnce } from '../graphql/read-once.ts';
import { getMissingDirectives, isStandaloneSchema } from '../graphql/standalone-schema.ts';
import type { User } from '../storage/store.ts';

export interface BuildSchemaOptions extends SchemaExtension {
  accounts: Accounts;
  /** Reads the caller's own account. @default accounts.findUser */
  readAccount?: ReadOnce<User | undefined> | undefined;
  signup: 'open' | 'closed';
}

/**
 * Builds a standalone schema from types that define `Query` or `schema`, and adds missing definitions of directives. Other types,
 * such as `extend type Query`, extend Bandha's schema.
 */
export function buildSchema({ typeDefs, resolvers, ...options }: BuildSchemaOptions): GraphQLSchema {
  const { accounts, signup, readAccount } = options;
  const documents = parseTypeDefs(typeDefs ?? []);
  const definitions = documents.flatMap((document) => document.definitions);
  if (!isStandaloneSchema(definitions)) {
    const own = resolvers === undefined ? {} : { resolvers };
    return createSchema({ accounts, signup, readAccount, typeDefs: documents, ...own });
  }
  assertNoRepeatedRules(documents);
  return makeExecutableSchema({
    typeDefs: [getMissingDirectives(definitions), ...documents],
    resolvers,
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}
