// Bandha's schema and resolvers together with the application's, as one executable schema.
import { type IExecutableSchemaDefinition, makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import type { YogaInitialContext } from 'graphql-yoga';
import type { Accounts } from '../accounts/accounts.ts';
import { isAccessDirective } from '../authorization/directives.ts';
import { findRepeatedRules } from '../authorization/merged-rules.ts';
import type { BandhaContext } from '../context.ts';
import { ConfigError } from '../errors.ts';
import type { User } from '../storage/store.ts';
import { baseTypeDefs, embeddedTypeDefs } from './base-schema.ts';
import { findDefinitionClashes, findResolverClashes } from './find-clashes.ts';
import type { ReadOnce } from './read-once.ts';
import { createClientInfo, createResolvers, type GetClientInfo } from './resolvers.ts';

/** The types and resolvers of an application. */
export interface SchemaExtension {
  /** Types, such as `extend type Query { orders: [Order!] }`. `type Query` is read as `extend type Query`. @default none */
  typeDefs?: string | DocumentNode | readonly (string | DocumentNode)[];
  /** Resolvers for the fields of `typeDefs`. @default none */
  resolvers?: AppResolvers;
}

/** Resolvers by type and field, as for `makeExecutableSchema` of `@graphql-tools/schema`. */
export type AppResolvers = NonNullable<
  IExecutableSchemaDefinition<YogaInitialContext & BandhaContext>['resolvers']
>;

export interface CreateSchemaOptions extends SchemaExtension {
  accounts: Accounts;
  /** `closed` removes `register` from the schema. */
  signup: 'open' | 'closed';
  /** Describes the client of a request. @default the address of the socket, without regard to headers */
  getClientInfo?: GetClientInfo;
  /** Reads the caller's own account. @default accounts.findUser */
  readAccount?: ReadOnce<User | undefined> | undefined;
}

const getPeerInfo = createClientInfo((ipAddress) => ({ ipAddress, isShared: false }));

/**
 * Builds Bandha's schema with the application's types and resolvers. With types of the application, `secureData` is left out.
 * @throws ConfigError naming every definition and resolver that clashes with one of Bandha's, and every element that has two
 *   different rules by one directive
 */
export function createSchema({
  accounts,
  signup,
  getClientInfo = getPeerInfo,
  readAccount,
  typeDefs = [],
  resolvers = [],
}: CreateSchemaOptions): GraphQLSchema {
  const documents = parseTypeDefs(typeDefs);
  assertNoClashes(documents, resolvers);
  const hasSecureData = documents.length === 0;
  const schema = makeExecutableSchema({
    typeDefs: [getBaseFor(documents), ...documents],
    resolvers: [createResolvers({ accounts, getClientInfo, readAccount, hasSecureData }), resolvers].flat(),
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  if (signup === 'open') return schema;
  return mapSchema(schema, {
    [MapperKind.MUTATION_ROOT_FIELD]: (_, fieldName) => (fieldName === 'register' ? null : undefined),
  });
}

/** Bandha's own types: those of a server alone, or those that an application's types extend. */
function getBaseFor(documents: readonly DocumentNode[]): DocumentNode {
  return documents.length === 0 ? baseTypeDefs : embeddedTypeDefs;
}

/** Parses texts, and leaves out empty ones. */
export function parseTypeDefs(typeDefs: NonNullable<SchemaExtension['typeDefs']>): DocumentNode[] {
  return [typeDefs].flat().flatMap((one) => {
    if (typeof one !== 'string') return [one];
    return one.trim() === '' ? [] : [parse(one)];
  });
}

/** @throws ConfigError as `createSchema` does */
export function assertNoClashes(documents: readonly DocumentNode[], resolvers: AppResolvers = {}): void {
  const base = getBaseFor(documents);
  const issues = [...findDefinitionClashes(documents, base), ...findResolverClashes(resolvers, base)];
  if (issues.length > 0) throw new ConfigError(issues);
  assertNoRepeatedRules([base, ...documents]);
}

/**
 * Must run before definitions are merged, because a merge leaves only one of two rules.
 * @throws ConfigError naming every element with two different rules by one directive
 */
export function assertNoRepeatedRules(documents: readonly DocumentNode[]): void {
  const issues = findRepeatedRules(documents, isAccessDirective);
  if (issues.length > 0) throw new ConfigError(issues);
}
