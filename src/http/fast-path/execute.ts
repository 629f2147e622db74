// Runs a prepared operation: compiled where it can be, by the other door's executor otherwise, with the same answer.
import { normalizedExecutor } from '@graphql-tools/executor';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { handleMaybePromise, type MaybePromise } from '../../utils/maybe-promise.ts';
import type { PreparedOperation } from './prepare.ts';

/** @param createContext what resolvers left in the context of a run that was given up is not for the next one */
export function executeOperation(
  prepared: PreparedOperation,
  args: ExecutionArgs,
  createContext: () => unknown,
): MaybePromise<ExecutionResult> {
  const { compiled } = prepared;
  // What runs on the schema of somebody who may not see everything is the executor's.
  if (compiled === undefined || args.schema !== compiled.schema) return executeUncompiled(args);
  return handleMaybePromise(compiled.run(args), (result) => {
    if (result !== undefined) return result;
    // A query changes nothing, so it can be run once more: this once.
    prepared.compiled = undefined;
    return executeUncompiled({ ...args, contextValue: createContext() });
  });
}

/** What is not a subscription, and has no `@defer` and `@stream`, gives one result. */
function executeUncompiled(args: ExecutionArgs): MaybePromise<ExecutionResult> {
  return normalizedExecutor(args) as MaybePromise<ExecutionResult>;
}
