// Decides during execution: wraps the resolvers of protected fields and types, so that each checks access before it runs.
import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema, GraphQLTypeResolver } from 'graphql';
import type { AuthError } from '../errors.ts';
import type { Log } from '../utils/log.ts';
import type { AccessRules } from './access-rules.ts';
import {
  type Caller,
  checkRequirement,
  type Denial,
  POLICY_DENIED,
  toAuthError,
} from './check-requirement.ts';
import type { PolicyEvaluator } from './policies.ts';
import type { Requirement } from './requirement.ts';

export interface EnforcementDeps {
  schema: GraphQLSchema;
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  /** @throws GraphQLError if `context.principal` is not a principal */
  getCaller(context: unknown, operation: GraphQLResolveInfo['operation']['operation']): Caller;
  /** If given, denials are logged there and nothing is denied. */
  reportOnly: Pick<Log, 'warn'> | undefined;
}

/** The wrappers of one schema's resolvers. */
export interface Enforcement {
  /** Denies with a rejected promise, and otherwise calls `resolve`. */
  enforceResolver(resolve: Resolver, requirement: Requirement, coordinate: string): Resolver;
  /** Denies access to an object by its type, once `resolveType` has determined it. */
  enforceTypeResolver(resolveType: TypeResolver): TypeResolver;
  /** Records the field's arguments for policies on the type of its objects: a type resolver does not receive them. */
  captureArguments(resolve: Resolver): Resolver;
  /** For a root field of a subscription: the policies of each event are evaluated again. */
  beginEvent(resolve: Resolver): Resolver;
}

interface AccessCheck {
  requirement: Requirement;
  coordinate: string;
  /** Returns undefined if the arguments were not recorded; then every policy denies. */
  args: () => Readonly<Record<string, unknown>> | undefined;
  context: unknown;
  info: GraphQLResolveInfo;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;
type TypeResolver = GraphQLTypeResolver<unknown, unknown>;

export function createEnforcement({
  schema,
  accessRules,
  policyEvaluator,
  getCaller,
  reportOnly,
}: EnforcementDeps): Enforcement {
  const capturedArguments = new WeakMap<GraphQLResolveInfo, Readonly<Record<string, unknown>>>();

  /** @returns the error to reject with; undefined if denials are only logged */
  function toError(denial: Denial, coordinate: string): AuthError | undefined {
    if (reportOnly === undefined) return toAuthError(denial, coordinate);
    reportOnly.warn({ coordinate, reason: denial.reason }, 'access would be denied');
    return undefined;
  }

  /** Rejects if the caller is denied; otherwise calls `next`, synchronously unless policies have to be evaluated. */
  function checkAccess<T>(check: AccessCheck, next: () => T): T | Promise<Awaited<T>> {
    const { requirement, coordinate, context, info } = check;
    let caller: Caller;
    try {
      caller = getCaller(context, info.operation.operation);
    } catch (error) {
      return reject(error);
    }
    const denial = checkRequirement(requirement, caller);
    if (denial !== undefined) {
      // Rejects instead of throwing: after an exception the executor would abandon the other items of a list.
      const error = toError(denial, coordinate);
      if (error !== undefined) return reject(error);
    }
    if (caller.principal === null || !policyEvaluator.usesPolicies(requirement)) return next();
    const args = check.args();
    const { principal } = caller;
    const evaluation =
      args === undefined
        ? Promise.resolve(false)
        : policyEvaluator.evaluate(
            requirement,
            { principal, args, fieldName: info.fieldName, context },
            toPhase(info),
          );
    const result = evaluation.then((isAllowed) => {
      const error = isAllowed ? undefined : toError(POLICY_DENIED, coordinate);
      if (error !== undefined) throw error;
      return next() as Awaited<T>; // cast: `then` awaits it
    });
    return markHandled(result);
  }

  return {
    enforceResolver(resolve, requirement, coordinate) {
      return (source, args, context, info) =>
        checkAccess({ requirement, coordinate, args: () => args, context, info }, () =>
          resolve(source, args, context, info),
        );
    },
    enforceTypeResolver(resolveType) {
      return (value, context, info, abstractType) => {
        const coordinate = `${info.parentType.name}.${info.fieldName}`;
        const check = (name: string | undefined) => {
          // Not `info.schema`: a schema filtered for the caller does not have the denied types.
          const type = name === undefined ? undefined : schema.getType(name);
          const requirement = type === undefined ? [] : accessRules.forType(type);
          const args = () => capturedArguments.get(info);
          return checkAccess({ requirement, coordinate, args, context, info }, () => name);
        };
        const name = resolveType(value, context, info, abstractType);
        return typeof name === 'object' ? name.then(check) : check(name);
      };
    },
    captureArguments(resolve) {
      return (source, args, context, info) => {
        capturedArguments.set(info, args);
        return resolve(source, args, context, info);
      };
    },
    beginEvent(resolve) {
      return (source, args, context, info) => {
        policyEvaluator.forget(context);
        return resolve(source, args, context, info);
      };
    },
  };
}

/**
 * The phase in which the results of policies are reused: in a mutation, one root field and the fields below it. Root fields run
 * one after another, and each may change data that a policy reads.
 */
function toPhase({ operation, path }: GraphQLResolveInfo): string {
  if (operation.operation !== 'mutation') return '';
  let root: GraphQLResolveInfo['path'] = path;
  while (root.prev !== undefined) root = root.prev;
  return String(root.key);
}

function reject(error: unknown): Promise<never> {
  return markHandled(Promise.reject(error));
}

/** Executors stop awaiting other promises once a field has failed, and an unhandled rejection would end the process. */
function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
