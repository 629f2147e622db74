// Bandha's schema and resolvers with the app's own on top, as one executable schema.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { YogaInitialContext } from 'graphql-yoga';
import type { Accounts } from '../accounts/accounts.ts';
import type { BandhaContext } from '../context.ts';
import { createClientInfo, type GetClientInfo } from '../resolvers/client-info.ts';
import { createResolvers } from '../resolvers/resolvers.ts';
import { baseTypeDefs } from './base-schema.ts';

/** What an app adds; `extend type Query` and the like reach Bandha's types. */
export interface SchemaExtension {
  typeDefs?: string | DocumentNode | readonly (string | DocumentNode)[];
  resolvers?: AppResolvers;
}

/** Resolvers by type and field, as `@graphql-tools/schema` takes them. */
export type AppResolvers = NonNullable<
  Parameters<typeof makeExecutableSchema<YogaInitialContext & BandhaContext>>[0]['resolvers']
>;

export interface CreateSchemaOptions extends SchemaExtension {
  accounts: Accounts;
  /** `closed` leaves `register` out of the schema. */
  signup: 'open' | 'closed';
  /** @default the socket's address, whatever headers say */
  getClientInfo?: GetClientInfo;
}

const getPeerInfo = createClientInfo((ipAddress) => ({ ipAddress, isShared: false }));

export function createSchema({
  accounts,
  signup,
  getClientInfo = getPeerInfo,
  typeDefs = [],
  resolvers,
}: CreateSchemaOptions): GraphQLSchema {
  const schema = makeExecutableSchema({
    typeDefs: [baseTypeDefs, ...[typeDefs].flat()],
    resolvers: [createResolvers(accounts, getClientInfo), ...(resolvers ? [resolvers].flat() : [])],
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  if (signup === 'open') return schema;
  return mapSchema(schema, {
    [MapperKind.MUTATION_ROOT_FIELD]: (_, fieldName) => (fieldName === 'register' ? null : undefined),
  });
}
