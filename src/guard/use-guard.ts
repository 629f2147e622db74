// The guard as a plugin for any Yoga or envelop server.
import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { useAnswers } from '../answers.ts';
import { createGuard, type Decision, type DecisionOptions, type Guard } from './create-guard.ts';
import { endWithToken, type WatchSession } from './end-with-token.ts';
import { principalOf } from './protect-schema.ts';

export interface GuardOptions extends DecisionOptions {
  /** So that a subscription ends when its session does; at the token's expiry it ends anyway. */
  watchSession?: WatchSession;
}

/**
 * Protects a schema by its directives: refuses before execution what the operation certainly may not have, and runs
 * the rest so that forbidden fields and objects refuse by themselves. Reads `context.principal`, and
 * `context.tokenProblem` for the reason, as `useBandha` sets them.
 * @throws ConfigError when the schema is set, where a directive makes no rule or names an unknown policy
 */
export function useGuard({ watchSession, ...options }: GuardOptions = {}): Plugin {
  return guardPlugin(createGuard(options), { ...options, watchSession });
}

/** The plugin around a guard that stands at other doors too. */
export function guardPlugin(
  guard: Guard,
  { onDenied, watchSession }: Pick<GuardOptions, 'onDenied' | 'watchSession'>,
): Plugin {
  /** Runs what was judged on the schema it was judged for; what another plugin has changed since is judged again. */
  function runAs<R>(judged: ExecutionArgs, schema: GraphQLSchema, run: (args: ExecutionArgs) => R) {
    const { document, operationName, variableValues, contextValue } = judged;
    const judgedSchema = judged.schema;
    const principal = principalOf(contextValue);
    return (given: ExecutionArgs): R | ExecutionResult | Promise<Awaited<R> | ExecutionResult> => {
      const isJudged =
        given.schema === judgedSchema &&
        given.document === document &&
        given.operationName === operationName &&
        given.variableValues === variableValues &&
        given.contextValue === contextValue &&
        principalOf(given.contextValue) === principal;
      if (isJudged) return run({ ...given, schema });
      return after(guard.decide(given), (decision) =>
        'answer' in decision ? decision.answer : run({ ...given, schema: decision.schema }),
      ) as R | ExecutionResult; // `after` gives what it is given, or a promise of it, which the executor awaits
    };
  }

  return {
    onPluginInit: ({ addPlugin }) => addPlugin(useAnswers({ denialsSetStatus: onDenied !== 'null' })),
    onSchemaChange({ schema, replaceSchema }) {
      const { walled } = guard.protect(schema);
      if (walled !== schema) replaceSchema(walled);
    },
    onExecute: ({ args, executeFn, setExecuteFn, setResultAndStopExecution }) =>
      after(guard.decide(args), (decision) => {
        if ('answer' in decision) setResultAndStopExecution(decision.answer);
        else setExecuteFn(runAs(args, decision.schema, executeFn));
      }),
    onSubscribe: ({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) =>
      after(guard.decide(args), (decision) => {
        if ('answer' in decision) {
          setResultAndStopExecution(decision.answer);
          return;
        }
        setSubscribeFn(runAs(args, decision.schema, subscribeFn));
        const { now } = guard.protect(args.schema);
        const principal = principalOf(args.contextValue);
        if (principal === null) return;
        return {
          onSubscribeResult({ result, setResult }) {
            if (!isAsyncIterable<ExecutionResult>(result)) return;
            setResult(endWithToken(result, principal, { now, watchSession }));
          },
        };
      }),
  };
}

function after<R>(decision: Decision | Promise<Decision>, next: (decision: Decision) => R): R | Promise<R> {
  return decision instanceof Promise ? decision.then(next) : next(decision);
}
