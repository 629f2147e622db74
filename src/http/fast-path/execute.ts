// Executes a prepared operation: compiled if possible, otherwise with Yoga's executor. Both give the same result.
import { normalizedExecutor } from '@graphql-tools/executor';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { handleMaybePromise, type MaybePromise } from '../../utils/maybe-promise.ts';
import type { PreparedOperation } from './prepare.ts';

/** @param createContext creates the context of a second run, because resolvers may have changed the first one */
export function executeOperation(
  prepared: PreparedOperation,
  args: ExecutionArgs,
  createContext: () => unknown,
): MaybePromise<ExecutionResult> {
  const { compiled } = prepared;
  // The guard passes the enforced schema for callers who may not access every field; it is not compiled.
  if (compiled === undefined || args.schema !== compiled.schema) return executeUncompiled(args);
  return handleMaybePromise(compiled.run(args), (result) => {
    if (result !== undefined) return result;
    // The run bailed out. Queries have no side effects, so the executor can run it again; later requests skip the compiled query.
    prepared.compiled = undefined;
    return executeUncompiled({ ...args, contextValue: createContext() });
  });
}

/** Gives one result: prepared operations are no subscriptions, and have no `@defer` or `@stream`. */
function executeUncompiled(args: ExecutionArgs): MaybePromise<ExecutionResult> {
  return normalizedExecutor(args) as MaybePromise<ExecutionResult>;
}
