// Runs a prepared operation: compiled where it can be, by the other door's executor otherwise, with the same answer.
import { normalizedExecutor } from '@graphql-tools/executor';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNullableType,
  isListType,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { PromiseOrValue } from '../../at-once.ts';
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
  const compiledSchema = compiles && withResolvers(compiles);
  const runs = new WeakMap<PreparedOperation, number>();
  const compiled = new LRUCache<PreparedOperation, CompiledQuery>({
    maxSize: MAX_ALL_FIELDS,
    dispose: (_, prepared, reason) => void (reason === 'evict' && runs.set(prepared, 0)),
  });
  let restsUntil = 0;

  function compiledOf(prepared: PreparedOperation, schema: GraphQLSchema): CompiledQuery | undefined {
    const known = compiled.get(prepared);
    if (known !== undefined) return known;
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
    const query = compile(schema, prepared);
    restsUntil = startedAt + (performance.now() - startedAt) * REST;
    if (query !== undefined) compiled.set(prepared, query, { size });
    return query;
  }

  // A query without subscriptions, `@defer` and `@stream` gives one result.
  const interpret = (args: ExecutionArgs) => normalizedExecutor(args) as PromiseOrValue<ExecutionResult>;

  return (prepared, args) => {
    // What else runs on the schema of somebody who may not see everything, and what writes, is not worth compiling.
    const mayCompile = args.schema === compiles && prepared.operation.operation === 'query';
    const query = mayCompile && compiledSchema ? compiledOf(prepared, compiledSchema) : undefined;
    if (query === undefined) return interpret(args);
    // The compiler words errors in its own way. A query changes nothing, so it can be run once more: this once.
    const giveUp = () => {
      compiled.delete(prepared);
      return interpret(args);
    };
    const sameAnswer = (answer: ExecutionResult) => (answer.errors === undefined ? answer : giveUp());
    let running: PromiseOrValue<ExecutionResult>;
    try {
      running = query.query(args.rootValue, args.contextValue, args.variableValues);
    } catch {
      return giveUp();
    }
    return running instanceof Promise ? running.then(sameAnswer, giveUp) : sameAnswer(running);
  };
}

function compile(
  schema: GraphQLSchema,
  { document, operationName }: PreparedOperation,
): CompiledQuery | undefined {
  try {
    const compiled = compileQuery(schema, document, operationName ?? '');
    return isCompiledQuery(compiled) ? compiled : undefined;
  } catch {
    return undefined; // what the compiler does not understand is interpreted
  }
}

/**
 * With what the compiler does not do by itself: it takes a property for a plain value where a field has no resolver, though
 * it may be a promise or a function, and never answers where a list's iterator throws.
 */
function withResolvers(schema: GraphQLSchema): GraphQLSchema {
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field) => {
      const resolve = field.resolve ?? defaultFieldResolver;
      return { ...field, resolve: isListType(getNullableType(field.type)) ? toArray(resolve) : resolve };
    },
  });
}

function toArray<S, C>(resolve: GraphQLFieldResolver<S, C>): GraphQLFieldResolver<S, C> {
  const convert = (list: unknown) => {
    if (Array.isArray(list) || typeof list !== 'object' || list === null) return list;
    if (Symbol.asyncIterator in list) throw new Error('The compiler has no word for it');
    return Symbol.iterator in list ? Array.from(list as Iterable<unknown>) : list; // it has been looked at
  };
  return (source, args, context, info) => {
    const list = resolve(source, args, context, info);
    return list instanceof Promise ? list.then(convert) : convert(list);
  };
}
