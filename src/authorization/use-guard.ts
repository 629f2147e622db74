// The guard as a plugin for any Yoga or envelop server.
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import { useAuthErrors } from './format-errors.ts';
import { createGuard, type Decision, type Guard } from './guard.ts';
import { assertSameOptions, type GuardSettings } from './guard-options.ts';
import { endOnTokenExpiry } from './subscriptions.ts';

/** Options of {@link useGuard}. */
export interface GuardOptions extends GuardSettings {}

/** The guards of plugins, so that those of one server find each other: a chain of plugins has no other place for that. */
const guards = new WeakMap<object, { getGuard(): Guard }>();

/**
 * Protects a schema by its directives: rejects before execution what the operation certainly may not have, and runs
 * the rest so that forbidden fields and objects are denied one by one. Reads `context.principal`, which `createPrincipal`
 * makes, and `context.tokenProblem` for the reason, as `useTokenAuth` sets them.
 * @throws ConfigError when the schema is set, if a directive makes no rule or names an unknown policy, or if another guard of
 *   the server has other options
 * @example
 * const yoga = createYoga({
 *   schema,
 *   context: ({ request }) => ({ principal: findPrincipal(request) }),
 *   plugins: [useGuard({ defaultAccess: 'deny' })],
 * });
 */
export function useGuard(options: GuardOptions = {}): Plugin {
  return createGuardPlugin(createGuard(options));
}

/** The plugin around a guard that the fast path uses too. */
export function createGuardPlugin(ownGuard: Guard): Plugin {
  /** That of the first guard in the server: both have the same options, so one of them decides. */
  let guard = ownGuard;
  const { onDenied, watchSession } = ownGuard.options;

  /** Runs what was decided on the schema it was decided for; what another plugin has changed since is decided again. */
  function executeOn<R>(
    args: ExecutionArgs,
    decided: { schema: ExecutionArgs['schema'] },
    run: (args: ExecutionArgs) => R,
  ) {
    const { enforced, original } = guard.protect(args.schema);
    const runOn = (given: ExecutionArgs, schema: ExecutionArgs['schema']) =>
      run({ ...given, schema, document: guard.documentFor(schema, given.document) });
    // An executor that a later plugin puts in the place of this one checks access in any case.
    args.schema = decided.schema === original ? enforced : decided.schema;
    args.document = guard.documentFor(args.schema, args.document);
    const { schema, document, operationName, variableValues, contextValue } = args;
    const principal = readContextPrincipal(contextValue);
    return (given: ExecutionArgs): R | ExecutionResult | Promise<Awaited<R> | ExecutionResult> => {
      const isDecided =
        given.schema === schema &&
        given.document === document &&
        given.operationName === operationName &&
        given.variableValues === variableValues &&
        given.contextValue === contextValue &&
        isPrincipal(given.contextValue, principal);
      if (isDecided) return runOn(given, decided.schema);
      return after(guard.decide(given), (decision) =>
        'result' in decision ? decision.result : runOn(given, decision.schema),
      ) as R | ExecutionResult; // `after` gives what it is given, or a promise of it, which the executor awaits
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
      after(guard.decide(args), (decision) => {
        if ('result' in decision) setResultAndStopExecution(decision.result);
        else setExecuteFn(executeOn(args, decision, executeFn));
      }),
    onSubscribe: ({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) =>
      after(guard.decide(args), (decision) => {
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

/** Whether the context names the same caller as before; a mistake in it is another one. */
function isPrincipal(context: unknown, principal: ReturnType<typeof readContextPrincipal>): boolean {
  try {
    return readContextPrincipal(context) === principal;
  } catch {
    return false;
  }
}

function after<R>(decision: Decision | Promise<Decision>, next: (decision: Decision) => R): R | Promise<R> {
  return decision instanceof Promise ? decision.then(next) : next(decision);
}
