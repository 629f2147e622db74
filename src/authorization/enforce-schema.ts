// The enforced schema: its protected fields and types check access by themselves, whatever the way to them.

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
import { consoleLog } from '../utils/log.ts';
import { type AccessRules, readAccessRules } from './access-rules.ts';
import type { Caller, GuardLog } from './check-requirement.ts';
import { createEnforcement } from './enforcement.ts';
import { findInconsistentInterfaces } from './inconsistent-interfaces.ts';
import { createAnnotatedSchema, createPermittedSchemas } from './permitted-schema.ts';
import { createPolicyEvaluator, type Policy, type PolicyEvaluator } from './policies.ts';

export interface AccessOptions {
  /** Access to fields without a directive. `deny`: they require a signed-in caller unless they are `@public`. @default 'allow' */
  defaultAccess?: 'allow' | 'deny';
  /** The policies that the schema names, by name. @default {} */
  policies?: Readonly<Record<string, Policy>>;
  /** Logs what would be denied and allows it, to try out rules in production. @default false */
  reportOnly?: boolean;
  /** Receives a warning for inconsistent interfaces, failed policies and, with `reportOnly`, denials. @default the console */
  log?: GuardLog;
  /** The clock by which `maxAge` is measured. @default the system's */
  now?: () => Date;
}

/** A schema with its rules: `plain` as it was given, `walled` as it may be run for anyone. */
export interface EnforcedSchema {
  original: GraphQLSchema;
  /** Made when it is first needed: other plugins change the resolvers of `plain` before that. */
  readonly enforced: GraphQLSchema;
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  isReportOnly: boolean;
  log: GuardLog;
  now: () => Date;
  /** As they were given. */
  options: AccessOptions;
  /** The schema as a caller may see it; undefined if that has no field of `Query`. */
  visibleTo(caller: Caller): GraphQLSchema | undefined;
  /** The whole schema, with a line on what each protected part needs. */
  annotated(): GraphQLSchema;
  /** `maxAge` is measured at this moment for the rest of a subscription. */
  beginSubscription(context: unknown): void;
  /** Makes `walled` again if a resolver of `plain` is another one now. */
  refresh(): void;
}

/** So that a schema that is enforced already is not enforced again, and the original one behind it is found. */
const byEnforcedSchema = new WeakMap<GraphQLSchema, EnforcedSchema>();

/** @returns undefined for a schema that is not an enforced one */
export function findEnforced(enforced: GraphQLSchema): EnforcedSchema | undefined {
  return byEnforcedSchema.get(enforced);
}

/**
 * Reads the rules of a schema, which stays as it is; an enforced schema is returned as it was made.
 * @throws ConfigError naming every directive that makes no rule, and every policy that is not defined
 */
export function enforceSchema(schema: GraphQLSchema, options: AccessOptions = {}): EnforcedSchema {
  const already = byEnforcedSchema.get(schema);
  if (already !== undefined) return already;
  const { policies = {}, reportOnly = false, log = consoleLog, now = () => new Date() } = options;
  const accessRules = readAccessRules(schema, {
    defaultAccess: options.defaultAccess ?? 'allow',
    policyNames: Object.keys(policies),
  });
  for (const disagreement of findInconsistentInterfaces(schema, accessRules)) log.warn({}, disagreement);
  const policyEvaluator = createPolicyEvaluator(policies, (message, err) => log.warn({ err }, message));
  const startedAt = new WeakMap<object, Date>();
  const enforcement = createEnforcement({
    schema,
    accessRules,
    policyEvaluator,
    callerOf: (context, operation) =>
      callerOf(context, operation === 'subscription' ? () => startOf(context) ?? now() : now),
    reportOnly: reportOnly ? log : undefined,
  });
  const startOf = (context: unknown) => (isObject(context) ? startedAt.get(context) : undefined);

  let current:
    | (Pick<EnforcedSchema, 'enforced' | 'visibleTo' | 'annotated'> & { resolvers: unknown[] })
    | undefined;
  const getCurrent = () => {
    if (current === undefined) {
      const enforced = addChecks(schema, { accessRules, policyEvaluator, enforcement });
      byEnforcedSchema.set(enforced, guarded);
      current = {
        enforced,
        visibleTo: createPermittedSchemas(enforced, accessRules),
        annotated: createAnnotatedSchema(enforced, accessRules),
        resolvers: listResolvers(schema),
      };
    }
    return current;
  };
  const guarded: EnforcedSchema = {
    ...{ original: schema, accessRules, policyEvaluator, isReportOnly: reportOnly, log, now, options },
    get enforced() {
      return getCurrent().enforced;
    },
    visibleTo: (caller) => getCurrent().visibleTo(caller),
    annotated: () => getCurrent().annotated(),
    beginSubscription(context) {
      if (isObject(context)) startedAt.set(context, now());
    },
    refresh() {
      if (current === undefined) return;
      const before = current.resolvers;
      const resolvers = listResolvers(schema);
      if (resolvers.some((one, index) => one !== before[index])) current = undefined;
    },
  };
  return guarded;
}

/** @throws GraphQLError `INTERNAL_SERVER_ERROR` if `context.principal` is neither a caller nor null or undefined */
export function callerOf(context: unknown, now: () => Date): Caller {
  const { tokenProblem } = (context ?? {}) as Partial<BandhaContext>; // any context, so every key may lack
  return { principal: readContextPrincipal(context), tokenProblem, now };
}

interface EnforceDeps {
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  enforcement: ReturnType<typeof createEnforcement>;
}

/** Copies the schema, with checks in its resolvers. */
function addChecks(
  schema: GraphQLSchema,
  { accessRules, policyEvaluator, enforcement }: EnforceDeps,
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
      const Type = type.constructor as new (config: object) => typeof type; // the class of the very type copied
      return new Type({ ...type.toConfig(), resolveType });
    },
  });
}

/** Every function that an executor calls, in the order of the schema. */
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
