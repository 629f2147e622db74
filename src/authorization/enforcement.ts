// Resolvers that check access by themselves, whatever the way to them.
import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema, GraphQLTypeResolver } from 'graphql';
import type { AuthError } from '../errors.ts';
import type { AccessRules } from './access-rules.ts';
import {
  type Caller,
  checkRequirement,
  type Denial,
  type GuardLog,
  POLICY_DENIED,
  toAuthError,
} from './check-requirement.ts';
import type { Requirement } from './directives.ts';
import type { PolicyEvaluator } from './policies.ts';

export interface EnforcementDeps {
  schema: GraphQLSchema;
  accessRules: AccessRules;
  policyEvaluator: PolicyEvaluator;
  /** @throws GraphQLError if `context.principal` is no caller */
  callerOf(context: unknown, operation: GraphQLResolveInfo['operation']['operation']): Caller;
  /** In report mode: denials are logged there, and nothing is denied. */
  reportOnly: GuardLog | undefined;
}

interface AccessCheck {
  requirement: Requirement;
  coordinate: string;
  /** Undefined if they are not known; then every policy denies. */
  args: () => Readonly<Record<string, unknown>> | undefined;
  context: unknown;
  info: GraphQLResolveInfo;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

export function createEnforcement({
  schema,
  accessRules,
  policyEvaluator,
  callerOf,
  reportOnly,
}: EnforcementDeps) {
  /** A field's arguments for the step that determines the type of its objects, which does not get them. */
  const knownArguments = new WeakMap<GraphQLResolveInfo, Readonly<Record<string, unknown>>>();

  /** The error to reject with; undefined in report mode. */
  function toError(denial: Denial, coordinate: string): AuthError | undefined {
    if (reportOnly === undefined) return toAuthError(denial, coordinate);
    reportOnly.warn({ coordinate, reason: denial.reason }, 'would be refused');
    return undefined;
  }

  /** Rejects if the caller is denied; otherwise continues with `next`, at once if no policy is evaluated. */
  function checkAccess<T>(check: AccessCheck, next: () => T): T | Promise<Awaited<T>> {
    const { requirement, coordinate, context, info } = check;
    let caller: Caller;
    try {
      caller = callerOf(context, info.operation.operation);
    } catch (error) {
      return reject(error);
    }
    const denial = checkRequirement(requirement, caller);
    if (denial !== undefined) {
      // Not thrown: the executor would leave a list half done.
      const error = toError(denial, coordinate);
      if (error !== undefined) return reject(error);
    }
    if (caller.principal === null || !policyEvaluator.usesPolicies(requirement)) return next();
    const args = check.args();
    const { principal } = caller;
    const allowed =
      args === undefined
        ? Promise.resolve(false)
        : policyEvaluator.evaluate(
            requirement,
            { principal, args, fieldName: info.fieldName, context },
            toEvaluationOrder(info),
          );
    const result = allowed.then((isAllowed) => {
      const error = isAllowed ? undefined : toError(POLICY_DENIED, coordinate);
      if (error !== undefined) throw error;
      return next() as Awaited<T>; // a promise in a promise is one promise
    });
    return handled(result);
  }

  return {
    enforceResolver(resolve: Resolver, requirement: Requirement, coordinate: string): Resolver {
      return (source, args, context, info) =>
        checkAccess({ requirement, coordinate, args: () => args, context, info }, () =>
          resolve(source, args, context, info),
        );
    },
    captureArguments(resolve: Resolver): Resolver {
      return (source, args, context, info) => {
        knownArguments.set(info, args);
        return resolve(source, args, context, info);
      };
    },
    /** For a root field of a subscription: results of policies from the event before do not count. */
    beginEvent(resolve: Resolver): Resolver {
      return (source, args, context, info) => {
        policyEvaluator.forget(context);
        return resolve(source, args, context, info);
      };
    },
    enforceTypeResolver(
      resolveType: GraphQLTypeResolver<unknown, unknown>,
    ): GraphQLTypeResolver<unknown, unknown> {
      return (value, context, info, abstractType) => {
        const coordinate = `${info.parentType.name}.${info.fieldName}`;
        const check = (name: string | undefined) => {
          // Not `info.schema`: one filtered for the caller does not have the types that are denied.
          const type = name === undefined ? undefined : schema.getType(name);
          const requirement = type === undefined ? [] : accessRules.forType(type);
          const args = () => knownArguments.get(info);
          return checkAccess({ requirement, coordinate, args, context, info }, () => name);
        };
        const name = resolveType(value, context, info, abstractType);
        return typeof name === 'object' ? name.then(check) : check(name);
      };
    },
  };
}

/**
 * What a policy's result counts for. In a mutation one root field and what is below it: the fields run one after the other,
 * and each may change what the policy looks at.
 */
export function toEvaluationOrder({
  operation,
  path,
}: Pick<GraphQLResolveInfo, 'operation' | 'path'>): string {
  if (operation.operation !== 'mutation') return '';
  let root: GraphQLResolveInfo['path'] = path;
  while (root.prev !== undefined) root = root.prev;
  return String(root.key);
}

function reject(error: unknown): Promise<never> {
  return handled(Promise.reject(error));
}

/** Executors drop promises once another field has failed; Node would end the process for the rejection of one. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
