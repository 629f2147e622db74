// The guard as a plugin for any Yoga or envelop server.
import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { useAnswers } from '../answers.ts';
import { createGuard, type Decision, type DecisionOptions } from './create-guard.ts';
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
  const guard = createGuard(options);

  /** Runs what was judged on the schema it was judged for; what another plugin has changed since meets the wall. */
  function runAs<R>(judged: ExecutionArgs, schema: GraphQLSchema, run: (args: ExecutionArgs) => R) {
    const { document, operationName, variableValues, contextValue } = judged;
    const principal = principalOf(contextValue);
    const { walled } = guard.protect(judged.schema);
    return (given: ExecutionArgs): R => {
      const isJudged =
        given.document === document &&
        given.operationName === operationName &&
        given.variableValues === variableValues &&
        principalOf(given.contextValue) === principal;
      return run({ ...given, schema: isJudged ? schema : walled });
    };
  }

  return {
    onPluginInit: ({ addPlugin }) => addPlugin(useAnswers({ denialsSetStatus: options.onDenied !== 'null' })),
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
