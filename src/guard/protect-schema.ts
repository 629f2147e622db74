// The wall: a schema whose protected fields and types refuse by themselves, whatever the way to them.
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  defaultTypeResolver,
  type GraphQLAbstractType,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  isObjectType,
} from 'graphql';
import type { BandhaContext } from '../context.ts';
import { type Caller, checkRequirement } from './check-requirement.ts';
import { type Requirement, type Rulebook, readRules } from './rules.ts';

/** A schema with its rules: `plain` as it was given, `walled` as it may be run for anybody. */
export interface GuardedSchema {
  plain: GraphQLSchema;
  walled: GraphQLSchema;
  rulebook: Rulebook;
}

const known = new WeakMap<GraphQLSchema, GuardedSchema>();

/**
 * Builds the wall around a schema; once for each schema, and a walled one is not walled again.
 * @throws ConfigError where a directive makes no rule
 */
export function protectSchema(schema: GraphQLSchema, now: () => Date = () => new Date()): GuardedSchema {
  const already = known.get(schema);
  if (already !== undefined) return already;
  const rulebook = readRules(schema);
  const wall = createWall(now);
  const walled = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, fieldName, typeName, mapped) => {
      const parentType = mapped.getType(typeName);
      if (!isObjectType(parentType)) return undefined;
      const requirement = rulebook.ofField(parentType, fieldName);
      if (requirement.length === 0) return undefined;
      const coordinate = `${typeName}.${fieldName}`;
      const { resolve = defaultFieldResolver, subscribe } = config;
      return {
        ...config,
        resolve: wall.aroundResolver(resolve, requirement, coordinate),
        ...(subscribe && { subscribe: wall.aroundResolver(subscribe, requirement, coordinate) }),
      };
    },
    [MapperKind.ABSTRACT_TYPE]: (type, mapped) => {
      if (mapped.getPossibleTypes(type).every((possible) => rulebook.ofType(possible).length === 0)) {
        return undefined;
      }
      type.resolveType = wall.aroundTypeResolver(type.resolveType ?? defaultTypeResolver, rulebook, mapped);
      return type;
    },
  });
  const guarded = { plain: schema, walled, rulebook };
  known.set(schema, guarded);
  known.set(walled, guarded);
  return guarded;
}

/** The caller that a context names; one that no authentication has gone over names nobody. */
export function callerOf(context: unknown, now: Date): Caller {
  const { principal, tokenProblem } = (context ?? {}) as Partial<BandhaContext>; // anybody's context, so every key may lack
  return { principal: principal ?? null, tokenProblem, now };
}

function createWall(now: () => Date) {
  function assertMet(requirement: Requirement, context: unknown, coordinate: string): void {
    const refusal = checkRequirement(requirement, callerOf(context, now()), coordinate);
    if (refusal !== undefined) throw refusal;
  }
  return {
    aroundResolver(
      resolve: GraphQLFieldResolver<unknown, unknown>,
      requirement: Requirement,
      coordinate: string,
    ): GraphQLFieldResolver<unknown, unknown> {
      return (source, args, context, info) => {
        assertMet(requirement, context, coordinate);
        return resolve(source, args, context, info);
      };
    },
    aroundTypeResolver(
      resolveType: GraphQLTypeResolver<unknown, unknown>,
      rulebook: Rulebook,
      schema: GraphQLSchema,
    ): GraphQLTypeResolver<unknown, unknown> {
      return async (value, context, info, abstractType: GraphQLAbstractType) => {
        const name = await resolveType(value, context, info, abstractType);
        const type = name === undefined ? undefined : schema.getType(name);
        if (type !== undefined) assertMet(rulebook.ofType(type), context, type.name);
        return name;
      };
    },
  };
}
