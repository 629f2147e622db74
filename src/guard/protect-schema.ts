// The wall: a schema whose protected fields and types refuse by themselves, whatever the way to them.

import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  defaultTypeResolver,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import type { BandhaContext } from '../context.ts';
import type { AuthError } from '../errors.ts';
import { consoleLog } from '../log.ts';
import type { Principal } from '../tokens/principal.ts';
import { type Caller, checkRequirement, type Denial, POLICY_DENIED, refusalOf } from './check-requirement.ts';
import { describeDisagreements } from './disagreements.ts';
import { createPolicyBook, type Policy, type PolicyBook } from './policies.ts';
import { type Rulebook, readRulebook } from './rulebook.ts';
import type { Requirement } from './rules.ts';
import { createVisibleSchemas } from './visible-schema.ts';

export interface ProtectOptions {
  /** `deny`: what is not `@public` needs a signed-in caller. Default `allow`. */
  default?: 'allow' | 'deny';
  policies?: Readonly<Record<string, Policy>>;
  /** Only log what would be refused, and let it through. */
  report?: boolean;
  /** Is told of disagreeing implementations, of policies that fail, and in report mode of refusals. Default: the console. */
  log?: GuardLog;
  /** The clock that `maxAge` is measured by. */
  now?: () => Date;
}

export interface GuardLog {
  warn(details: object, message: string): void;
}

/** A schema with its rules: `plain` as it was given, `walled` as it may be run for anybody. */
export interface ProtectedSchema {
  plain: GraphQLSchema;
  walled: GraphQLSchema;
  rulebook: Rulebook;
  policyBook: PolicyBook;
  isReporting: boolean;
  log: GuardLog;
  now: () => Date;
  /** The schema as a caller may see it; undefined where that has no field of `Query`. */
  visibleTo(caller: Caller): GraphQLSchema | undefined;
}

/** So that a schema that is walled already is not walled again, and the plain one behind it is found. */
const protectedByWalled = new WeakMap<GraphQLSchema, ProtectedSchema>();

/**
 * Builds the wall around a schema; one that is walled already is returned as it is.
 * @throws ConfigError naming every directive that makes no rule, and every policy that nobody has defined
 */
export function protectSchema(schema: GraphQLSchema, options: ProtectOptions = {}): ProtectedSchema {
  const already = protectedByWalled.get(schema);
  if (already !== undefined) return already;
  const { policies = {}, report = false, log = consoleLog, now = () => new Date() } = options;
  const rulebook = readRulebook(schema, {
    default: options.default ?? 'allow',
    policyNames: Object.keys(policies),
  });
  for (const disagreement of describeDisagreements(schema, rulebook)) log.warn({}, disagreement);
  const policyBook = createPolicyBook(policies, (message, err) => log.warn({ err }, message));
  const wall = createWall({ schema, rulebook, policyBook, now, report: report ? log : undefined });

  const walled = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, fieldName, typeName, mapped) => {
      const parentType = mapped.getType(typeName);
      if (!isObjectType(parentType)) return undefined;
      const requirement = rulebook.ofField(parentType, fieldName);
      const returned = getNamedType(config.type);
      const asksLater =
        isAbstractType(returned) && policyBook.concerns(rulebook.ofAny(mapped.getPossibleTypes(returned)));
      if (requirement.length === 0 && !asksLater) return undefined;
      const coordinate = `${typeName}.${fieldName}`;
      const { resolve = defaultFieldResolver, subscribe } = config;
      const remembering = asksLater ? wall.rememberingArguments(resolve) : resolve;
      return {
        ...config,
        resolve: wall.aroundResolver(remembering, requirement, coordinate),
        ...(subscribe && { subscribe: wall.aroundResolver(subscribe, requirement, coordinate) }),
      };
    },
    [MapperKind.ABSTRACT_TYPE]: (type, mapped) => {
      const objects = mapped.getPossibleTypes(type);
      if (objects.every((object) => rulebook.ofType(object).length === 0)) return undefined;
      type.resolveType = wall.aroundTypeResolver(type.resolveType ?? defaultTypeResolver);
      return type;
    },
  });
  const visibleTo = createVisibleSchemas(walled, rulebook);
  const guarded = { plain: schema, walled, rulebook, policyBook, isReporting: report, log, now, visibleTo };
  protectedByWalled.set(walled, guarded);
  return guarded;
}

/** The caller that a context names; one that no authentication has gone over names nobody. */
export function callerOf(context: unknown, now: () => Date): Caller {
  const { tokenProblem } = (context ?? {}) as Partial<BandhaContext>; // anybody's context, so every key may lack
  return { principal: principalOf(context), tokenProblem, now };
}

/** Who the caller is; null where the context names nobody. */
export function principalOf(context: unknown): Principal | null {
  const { principal } = (context ?? {}) as Partial<BandhaContext>; // as above
  return principal ?? null;
}

interface WallDeps {
  schema: GraphQLSchema;
  rulebook: Rulebook;
  policyBook: PolicyBook;
  now: () => Date;
  report: GuardLog | undefined;
}

interface WallQuestion {
  requirement: Requirement;
  coordinate: string;
  fieldName: string;
  /** Undefined where they are not known; then no policy can say yes. */
  args: () => Readonly<Record<string, unknown>> | undefined;
  context: unknown;
}

function createWall({ schema, rulebook, policyBook, now, report }: WallDeps) {
  /** A field's arguments for the step that settles its objects' types, which is not given them. */
  const knownArguments = new WeakMap<GraphQLResolveInfo, Readonly<Record<string, unknown>>>();

  /** What to reject with; undefined in report mode. */
  function refuse(denial: Denial, coordinate: string): AuthError | undefined {
    if (report === undefined) return refusalOf(denial, coordinate);
    report.warn({ coordinate, reason: denial.reason }, 'would be refused');
    return undefined;
  }

  /** Rejects where the caller may not pass; otherwise goes on with `next`, at once where no policy is asked. */
  function pass<T>(question: WallQuestion, next: () => T): T | Promise<Awaited<T>> {
    const { requirement, coordinate, fieldName, context } = question;
    const caller = callerOf(context, now);
    const denial = checkRequirement(requirement, caller);
    if (denial !== undefined) {
      // Not thrown: the executor would leave a list half done, and what the items before reject with would be caught by
      // nobody.
      const refused = refuse(denial, coordinate);
      if (refused !== undefined) return Promise.reject(refused);
    }
    if (caller.principal === null || !policyBook.concerns(requirement)) return next();
    const args = question.args();
    const allowed =
      args === undefined
        ? Promise.resolve(false)
        : policyBook.allow(requirement, { principal: caller.principal, args, fieldName, context });
    return allowed.then((isAllowed) => {
      const refused = isAllowed ? undefined : refuse(POLICY_DENIED, coordinate);
      if (refused !== undefined) throw refused;
      return next() as Awaited<T>; // a promise in a promise is one promise
    });
  }

  return {
    aroundResolver(
      resolve: GraphQLFieldResolver<unknown, unknown>,
      requirement: Requirement,
      coordinate: string,
    ): GraphQLFieldResolver<unknown, unknown> {
      return (source, args, context, info) =>
        pass({ requirement, coordinate, fieldName: info.fieldName, args: () => args, context }, () =>
          resolve(source, args, context, info),
        );
    },
    rememberingArguments(
      resolve: GraphQLFieldResolver<unknown, unknown>,
    ): GraphQLFieldResolver<unknown, unknown> {
      return (source, args, context, info) => {
        knownArguments.set(info, args);
        return resolve(source, args, context, info);
      };
    },
    aroundTypeResolver(
      resolveType: GraphQLTypeResolver<unknown, unknown>,
    ): GraphQLTypeResolver<unknown, unknown> {
      return (value, context, info, abstractType) => {
        const { parentType, fieldName } = info;
        const coordinate = `${parentType.name}.${fieldName}`;
        const settle = (name: string | undefined) => {
          // Not `info.schema`: one filtered for the caller does not know what the caller may not see.
          const type = name === undefined ? undefined : schema.getType(name);
          const requirement = type === undefined ? [] : rulebook.ofType(type);
          const args = () => knownArguments.get(info);
          return pass({ requirement, coordinate, fieldName, args, context }, () => name);
        };
        const name = resolveType(value, context, info, abstractType);
        return typeof name === 'object' ? name.then(settle) : settle(name);
      };
    },
  };
}
