// Bandha's schema and resolvers with the app's own on top, as one executable schema.
import { type IExecutableSchemaDefinition, makeExecutableSchema } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import type { YogaInitialContext } from 'graphql-yoga';
import type { Accounts } from '../accounts/accounts.ts';
import { isAccessDirective } from '../authorization/directives.ts';
import { findRepeatedRules } from '../authorization/merged-rules.ts';
import type { BandhaContext } from '../context.ts';
import { ConfigError } from '../errors.ts';
import { baseTypeDefs } from './base-schema.ts';
import { findDefinitionClashes, findResolverClashes } from './find-clashes.ts';
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
  /** `closed` leaves `register` out of the schema. */
  signup: 'open' | 'closed';
  /** @default the socket's address, whatever headers say */
  getClientInfo?: GetClientInfo;
  /** In the place of Bandha's own resolvers, for a schema without a store. */
  baseResolvers?: AppResolvers;
}

const getPeerInfo = createClientInfo((ipAddress) => ({ ipAddress, isShared: false }));

/**
 * Builds Bandha's schema with the application's types and resolvers on top.
 * @throws ConfigError naming every definition and resolver that takes the place of one of Bandha's, and every element that has
 *   two different rules by one directive
 */
export function createSchema({
  accounts,
  signup,
  getClientInfo = getPeerInfo,
  baseResolvers = [],
  typeDefs = [],
  resolvers = [],
}: CreateSchemaOptions): GraphQLSchema {
  const documents = parseTypeDefs(typeDefs);
  assertNoClashes(documents, resolvers);
  const all = [baseTypeDefs, ...documents];
  const schema = makeExecutableSchema({
    typeDefs: all,
    resolvers: [createResolvers(accounts, getClientInfo), baseResolvers, resolvers].flat(),
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  if (signup === 'open') return schema;
  return mapSchema(schema, {
    [MapperKind.MUTATION_ROOT_FIELD]: (_, fieldName) => (fieldName === 'register' ? null : undefined),
  });
}

/** Text and documents as documents, empty texts left out. */
export function parseTypeDefs(typeDefs: NonNullable<SchemaExtension['typeDefs']>): DocumentNode[] {
  return [typeDefs].flat().flatMap((one) => {
    if (typeof one !== 'string') return [one];
    return one.trim() === '' ? [] : [parse(one)];
  });
}

/** @throws ConfigError as `createSchema` does, for what goes on top of Bandha's schema */
export function assertNoClashes(documents: readonly DocumentNode[], resolvers: AppResolvers = {}): void {
  const issues = [...findDefinitionClashes(documents), ...findResolverClashes(resolvers)];
  if (issues.length > 0) throw new ConfigError(issues);
  assertNoRepeatedRules([baseTypeDefs, ...documents]);
}

/**
 * Before the definitions are merged, as two rules of one element are one afterwards.
 * @throws ConfigError naming every element with two different rules by one directive
 */
export function assertNoRepeatedRules(documents: readonly DocumentNode[]): void {
  const issues = findRepeatedRules(documents, isAccessDirective);
  if (issues.length > 0) throw new ConfigError(issues);
}
