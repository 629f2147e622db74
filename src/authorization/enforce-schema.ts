// Creates the enforced schema, whose resolvers check access themselves, whichever way an operation reaches them.
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  defaultTypeResolver,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { BandhaContext } from '../context.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import { consoleLog, type Log } from '../utils/log.ts';
import { type AccessRules, readAccessRules } from './access-rules.ts';
import type { Caller } from './check-requirement.ts';
import { createEnforcement, type Enforcement } from './enforcement.ts';
import type { AccessOptions } from './guard-options.ts';
import { findInconsistentInterfaces } from './inconsistent-interfaces.ts';
import { createAnnotatedSchema, createPermittedSchemas } from './permitted-schema.ts';
import { createPolicyEvaluator, type PolicyEvaluator } from './policies.ts';

/** A schema with its access rules, without and with checks in its resolvers. */
export interface EnforcedSchema {
  /** The schema without checks: for operations whose caller meets every requirement. */
  original: GraphQLSchema;
  /** The schema with checks. Created when it is first read, after other plugins have changed the resolvers of `original`. */
  readonly enforced: GraphQLSchema;
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  isReportOnly: boolean;
  log: Pick<Log, 'warn'>;
  now: () => Date;
  /** The options of `enforceSchema`. */
  options: AccessOptions;
  /** @returns the part of the enforced schema that the caller may use; undefined if that has no field of `Query` */
  permittedFor(caller: Caller): GraphQLSchema | undefined;
  /** @returns the enforced schema with every requirement in the descriptions */
  annotated(): GraphQLSchema;
  /** Fixes the time at which `maxAge` is measured for all events of a subscription. */
  beginSubscription(context: unknown): void;
  /** Creates `enforced` again if a resolver of `original` has been replaced since. */
  refresh(): void;
}

/** By the enforced schema, which may return to `enforceSchema`: its checks must not be added twice. */
const byEnforcedSchema = new WeakMap<GraphQLSchema, EnforcedSchema>();

/** @returns undefined for a schema that `enforceSchema` did not create */
export function findEnforced(enforced: GraphQLSchema): EnforcedSchema | undefined {
  return byEnforcedSchema.get(enforced);
}

/**
 * Reads the access rules of a schema, which is not changed. An enforced schema is returned as it is.
 *
 * @throws ConfigError naming every directive with a mistake and every undefined policy
 */
export function enforceSchema(schema: GraphQLSchema, options: AccessOptions = {}): EnforcedSchema {
  const existing = byEnforcedSchema.get(schema);
  if (existing !== undefined) return existing;
  const { policies = {}, reportOnly = false, log = consoleLog, now = () => new Date() } = options;
  const accessRules = readAccessRules(schema, {
    defaultAccess: options.defaultAccess ?? 'allow',
    policyNames: Object.keys(policies),
  });
  for (const field of findInconsistentInterfaces(schema, accessRules))
    log.warn(field, 'implementations of an interface field have different requirements');
  const policyEvaluator = createPolicyEvaluator(policies, log);
  const startedAt = new WeakMap<object, Date>();
  const getStart = (context: unknown) => (isObject(context) ? startedAt.get(context) : undefined);
  const enforcement = createEnforcement({
    schema,
    accessRules,
    policyEvaluator,
    getCaller: (context, operation) =>
      getCaller(context, operation === 'subscription' ? () => getStart(context) ?? now() : now),
    reportOnly: reportOnly ? log : undefined,
  });

  let current:
    | (Pick<EnforcedSchema, 'enforced' | 'permittedFor' | 'annotated'> & { resolvers: unknown[] })
    | undefined;
  const getCurrent = () => {
    if (current === undefined) {
      const enforced = addChecks(schema, { accessRules, policyEvaluator, enforcement });
      byEnforcedSchema.set(enforced, result);
      current = {
        enforced,
        permittedFor: createPermittedSchemas(enforced, accessRules),
        annotated: createAnnotatedSchema(enforced, accessRules),
        resolvers: listResolvers(schema),
      };
    }
    return current;
  };
  const result: EnforcedSchema = {
    ...{ original: schema, accessRules, policyEvaluator, isReportOnly: reportOnly, log, now, options },
    get enforced() {
      return getCurrent().enforced;
    },
    permittedFor: (caller) => getCurrent().permittedFor(caller),
    annotated: () => getCurrent().annotated(),
    beginSubscription(context) {
      if (isObject(context)) startedAt.set(context, now());
    },
    refresh() {
      if (current === undefined) return;
      const before = current.resolvers;
      const resolvers = listResolvers(schema);
      if (resolvers.some((resolver, index) => resolver !== before[index])) current = undefined;
    },
  };
  return result;
}

/** @throws GraphQLError `INTERNAL_SERVER_ERROR` if `context.principal` is neither a principal nor null or undefined */
export function getCaller(context: unknown, now: () => Date): Caller {
  const { tokenProblem } = (context ?? {}) as Partial<BandhaContext>; // cast: an application's context may lack every key
  return { principal: readContextPrincipal(context), tokenProblem, now };
}

interface CheckDeps {
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  enforcement: Enforcement;
}

/** Copies the schema and wraps the resolvers that need checks. */
function addChecks(
  schema: GraphQLSchema,
  { accessRules, policyEvaluator, enforcement }: CheckDeps,
): GraphQLSchema {
  const subscriptionName = policyEvaluator.usesPolicies(accessRules.rules)
    ? schema.getSubscriptionType()?.name
    : undefined;
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, fieldName, typeName, mapped) => {
      const parentType = mapped.getType(typeName);
      if (!isObjectType(parentType)) return undefined;
      const requirement = accessRules.forField(parentType, fieldName);
      const returned = getNamedType(config.type);
      const mayNeedPolicies =
        isAbstractType(returned) &&
        policyEvaluator.usesPolicies(accessRules.forAny(mapped.getPossibleTypes(returned)));
      const isEvent = typeName === subscriptionName;
      if (requirement.length === 0 && !mayNeedPolicies && !isEvent) return undefined;
      const coordinate = `${typeName}.${fieldName}`;
      const { resolve = defaultFieldResolver, subscribe } = config;
      const capturing = mayNeedPolicies ? enforcement.captureArguments(resolve) : resolve;
      const enforced = enforcement.enforceResolver(capturing, requirement, coordinate);
      return {
        ...config,
        resolve: isEvent ? enforcement.beginEvent(enforced) : enforced,
        ...(subscribe && { subscribe: enforcement.enforceResolver(subscribe, requirement, coordinate) }),
      };
    },
    [MapperKind.ABSTRACT_TYPE]: (type, mapped) => {
      const objects = mapped.getPossibleTypes(type);
      if (objects.every((object) => accessRules.forType(object).length === 0)) return undefined;
      const resolveType = enforcement.enforceTypeResolver(type.resolveType ?? defaultTypeResolver);
      const Type = type.constructor as new (config: object) => typeof type; // cast: the class of the type that is copied
      return new Type({ ...type.toConfig(), resolveType });
    },
  });
}

/** Lists every function that an executor calls, in the order of the schema. */
function listResolvers(schema: GraphQLSchema): unknown[] {
  return Object.values(schema.getTypeMap()).flatMap((type): unknown[] => {
    if (isObjectType(type)) {
      const fields = Object.values(type.getFields());
      return [type.isTypeOf, ...fields.flatMap(({ resolve, subscribe }) => [resolve, subscribe])];
    }
    return isInterfaceType(type) || isUnionType(type) ? [type.resolveType] : [];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
