// The guard as a plugin for GraphQL Yoga and Envelop: decides each operation before it runs.
//
// Three files decide about access: `guard.ts` about an operation, `evaluate-plan.ts` about its fields before execution, and
// `enforcement.ts` about each field during execution. The last two call `check-requirement.ts` and `policies.ts`.
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import { handleMaybePromise } from '../utils/maybe-promise.ts';
import { useAuthErrors } from './format-errors.ts';
import { createGuard, type Guard } from './guard.ts';
import { assertSameOptions, type GuardOptions } from './guard-options.ts';
import { endOnTokenExpiry } from './subscriptions.ts';

/** The guard of each plugin. The plugins of a server have only their list of plugins to find each other's guards. */
const guards = new WeakMap<object, { getGuard(): Guard }>();

/**
 * Creates the plugin that enforces the access directives of a schema: `@auth`, `@public`, and Federation's `@authenticated`,
 * `@requiresScopes` and `@policy`. Reads the caller from `context.principal`, as `createPrincipal` or `useTokenAuth` provide it;
 * null or undefined is an anonymous caller. `context.tokenProblem` gives the reason if a token was rejected.
 *
 * An operation is rejected before it runs if it selects a denied field for every object. Fields and objects that are denied only
 * by the type of an object are denied during execution, one by one. No resolver of a denied field runs.
 *
 * Denials are errors with `extensions.code`, `reason` and `coordinate`, and with `WWW-Authenticate` as in RFC 6750, section 3,
 * and for `maxAge` as in RFC 9470, section 3.
 *
 * @throws ConfigError for an unknown or invalid option. When the schema is set: naming every directive with a mistake and every
 *   undefined policy, and if another guard of the server has other options
 * @example
 * const yoga = createYoga({
 *   schema,
 *   context: ({ user }) => ({ principal: user && createPrincipal({ userId: user.id, roles: user.roles }) }),
 *   plugins: [useGuard({ defaultAccess: 'deny' })],
 * });
 */
export function useGuard(options: GuardOptions = {}): Plugin {
  return createGuardPlugin(createGuard(options));
}

/** Creates the plugin for a guard that the fast path uses as well. */
export function createGuardPlugin(ownGuard: Guard): Plugin {
  /** The first guard of the server, once the plugin is initialized. Both have the same options, so that one can decide. */
  let guard = ownGuard;
  const { onDenied, watchSession } = ownGuard.options;

  /**
   * Returns an executor that runs the operation on the schema that was decided on. If a later plugin has changed the arguments
   * since, it decides again.
   */
  function executeOn<R>(
    args: ExecutionArgs,
    decided: { schema: ExecutionArgs['schema'] },
    execute: (args: ExecutionArgs) => R,
  ) {
    const { enforced, original } = guard.protect(args.schema);
    const runOn = (current: ExecutionArgs, schema: ExecutionArgs['schema']) =>
      execute({ ...current, schema, document: guard.documentFor(schema, current.document) });
    // A later plugin may replace the executor that this function returns: then the enforced schema checks access.
    args.schema = decided.schema === original ? enforced : decided.schema;
    args.document = guard.documentFor(args.schema, args.document);
    const { schema, document, operationName, variableValues, contextValue } = args;
    const principal = readContextPrincipal(contextValue);
    return (current: ExecutionArgs): R | ExecutionResult | Promise<Awaited<R> | ExecutionResult> => {
      const isDecided =
        current.schema === schema &&
        current.document === document &&
        current.operationName === operationName &&
        current.variableValues === variableValues &&
        current.contextValue === contextValue &&
        hasPrincipal(current.contextValue, principal);
      if (isDecided) return runOn(current, decided.schema);
      return handleMaybePromise(guard.decide(current), (decision) =>
        'result' in decision ? decision.result : runOn(current, decision.schema),
      ) as R | ExecutionResult; // cast: the executor awaits a promise, which `R` includes
    };
  }

  const plugin: Plugin = {
    onPluginInit({ plugins, addPlugin }) {
      addPlugin(useAuthErrors({ denialsSetStatus: onDenied !== 'null' }));
      const others = plugins.flatMap((one) => (one ? (guards.get(one) ?? []) : []));
      for (const other of others) assertSameOptions(other.getGuard().options, ownGuard.options);
      guard = others[0]?.getGuard() ?? ownGuard;
      guard.expectChanges();
    },
    onSchemaChange({ schema, replaceSchema }) {
      const changeable = guard.schemaFor(schema);
      if (changeable !== schema) replaceSchema(changeable);
    },
    onExecute: ({ args, executeFn, setExecuteFn, setResultAndStopExecution }) =>
      handleMaybePromise(guard.decide(args), (decision) => {
        if ('result' in decision) setResultAndStopExecution(decision.result);
        else setExecuteFn(executeOn(args, decision, executeFn));
      }),
    onSubscribe: ({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) =>
      handleMaybePromise(guard.decide(args), (decision) => {
        if ('result' in decision) {
          setResultAndStopExecution(decision.result);
          return;
        }
        const { now } = guard.protect(args.schema);
        setSubscribeFn(executeOn(args, decision, subscribeFn));
        const principal = readContextPrincipal(args.contextValue);
        if (principal === null) return;
        return {
          onSubscribeResult({ result, setResult }) {
            if (!isAsyncIterable<ExecutionResult>(result)) return;
            setResult(endOnTokenExpiry(result, principal, { now, watchSession }));
          },
        };
      }),
  };
  guards.set(plugin, { getGuard: () => guard });
  return plugin;
}

/** Whether the context still has the same caller. An invalid one is another caller. */
function hasPrincipal(context: unknown, principal: ReturnType<typeof readContextPrincipal>): boolean {
  try {
    return readContextPrincipal(context) === principal;
  } catch {
    return false;
  }
}
