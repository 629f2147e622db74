// Runs a prepared operation: compiled where it can be, by the other door's executor otherwise, with the same answer.
import { normalizedExecutor } from '@graphql-tools/executor';
import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { PromiseOrValue } from '../../at-once.ts';
import { type CompiledOperation, createQueryCompiler } from './compile-query.ts';
import { measureOperation } from './measure-operation.ts';
import type { PreparedOperation } from './prepare-operation.ts';

export type RunOperation = (
  prepared: PreparedOperation,
  args: ExecutionArgs,
) => PromiseOrValue<ExecutionResult>;

/** Compiling costs as much as some hundred runs, and clients send many texts only a few times. */
const COMPILE_AT_RUN = 20;
/** Compiling takes as long, and its outcome as much memory, as there are fields. */
const MAX_FIELDS = 1_000;
/** Of all compiled queries together. */
const MAX_ALL_FIELDS = 20_000;
/** So many times as long as it took to compile one query, no other is compiled. */
const REST = 20;
/** Of runs, where an operation is not to be compiled any more: it stays what it is, whatever is added. */
const NEVER = -Infinity;

/** @param compiles the schema that operations are compiled for; absent: none is compiled */
export function createRunner(compiles: GraphQLSchema | undefined): RunOperation {
  const compiler = compiles && createQueryCompiler(compiles);
  const runs = new WeakMap<PreparedOperation, number>();
  const compiled = new LRUCache<PreparedOperation, CompiledOperation>({
    maxSize: MAX_ALL_FIELDS,
    dispose: (_, prepared, reason) => void (reason === 'evict' && runs.set(prepared, 0)),
  });
  let restsUntil = 0;

  function compiledOf(prepared: PreparedOperation, schema: GraphQLSchema): CompiledOperation | undefined {
    const known = compiled.get(prepared);
    if (known !== undefined || compiler === undefined) return known;
    const count = (runs.get(prepared) ?? 0) + 1;
    if (count === NEVER) return undefined;
    const startedAt = count < COMPILE_AT_RUN ? 0 : performance.now();
    if (startedAt < restsUntil || count < COMPILE_AT_RUN) {
      runs.set(prepared, Math.min(count, COMPILE_AT_RUN));
      return undefined;
    }
    runs.set(prepared, NEVER); // once is enough
    const size = measureOperation(schema, prepared.document);
    if (size === undefined || size > MAX_FIELDS) return undefined;
    const operation = compiler.compile(prepared);
    restsUntil = startedAt + (performance.now() - startedAt) * REST;
    if (operation !== undefined) compiled.set(prepared, operation, { size });
    return operation;
  }

  // A query without subscriptions, `@defer` and `@stream` gives one result.
  const interpret = (args: ExecutionArgs) => normalizedExecutor(args) as PromiseOrValue<ExecutionResult>;

  return (prepared, args) => {
    // What else runs on the schema of somebody who may not see everything, and what writes, is not worth compiling.
    const mayCompile = args.schema === compiles && prepared.operation.operation === 'query';
    const operation = mayCompile ? compiledOf(prepared, args.schema) : undefined;
    if (operation === undefined) return interpret(args);
    // The compiler words errors in its own way. A query changes nothing, so it can be run once more: this once.
    const giveUp = () => {
      compiled.delete(prepared);
      if (operation.isOutdated()) runs.set(prepared, 0);
      return interpret(args);
    };
    const sameAnswer = (answer: ExecutionResult) => (answer.errors === undefined ? answer : giveUp());
    let running: PromiseOrValue<ExecutionResult>;
    try {
      running = operation.run(args);
    } catch {
      return giveUp();
    }
    return running instanceof Promise ? running.then(sameAnswer, giveUp) : sameAnswer(running);
  };
}
