// Runs a prepared operation: compiled where it can be, by the other door's executor otherwise, with the same answer.
import { normalizedExecutor } from '@graphql-tools/executor';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { andThen, type PromiseOrValue } from '../../utils/maybe-promise.ts';
import type { PreparedOperation } from './prepare.ts';

/** @param renewContext what resolvers left in the context of a run that was given up is not for the next one */
export function runOperation(
  prepared: PreparedOperation,
  args: ExecutionArgs,
  renewContext: () => unknown,
): PromiseOrValue<ExecutionResult> {
  const { compiled } = prepared;
  // What runs on the schema of somebody who may not see everything is the executor's.
  if (compiled === undefined || args.schema !== compiled.schema) return interpret(args);
  return andThen(compiled.run(args), (result) => {
    if (result !== undefined) return result;
    // A query changes nothing, so it can be run once more: this once.
    prepared.compiled = undefined;
    return interpret({ ...args, contextValue: renewContext() });
  });
}

/** What is not a subscription, and has no `@defer` and `@stream`, gives one result. */
function interpret(args: ExecutionArgs): PromiseOrValue<ExecutionResult> {
  return normalizedExecutor(args) as PromiseOrValue<ExecutionResult>;
}
