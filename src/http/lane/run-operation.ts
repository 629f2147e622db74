// Runs a prepared operation: compiled where it can be, by the other door's executor otherwise, with the same answer.
import { normalizedExecutor } from '@graphql-tools/executor';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  type DocumentNode,
  defaultFieldResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import type { PreparedOperation } from './prepare-operation.ts';

export type RunOperation = (
  prepared: PreparedOperation,
  args: ExecutionArgs,
) => ExecutionResult | Promise<ExecutionResult>;

/** Compiling costs as much as some hundred runs, and clients send many texts only a few times. */
const COMPILE_AT_RUN = 20;
/** Fragments within each other multiply, and compiling takes as long as there are fields. */
const MAX_FIELDS = 1_000;

/** @param compiles the schema that operations are compiled for; absent: none is compiled */
export function createRunner(compiles: GraphQLSchema | undefined): RunOperation {
  const compiledSchema = compiles && withResolvers(compiles);
  const runs = new WeakMap<PreparedOperation, { count: number; compiled: CompiledQuery | undefined }>();

  function compiledOf(prepared: PreparedOperation): CompiledQuery | undefined {
    const known = runs.get(prepared) ?? { count: 0, compiled: undefined };
    runs.set(prepared, known);
    known.count += 1;
    if (known.count === COMPILE_AT_RUN && compiledSchema !== undefined) {
      known.compiled = compile(compiledSchema, prepared);
    }
    return known.compiled;
  }

  function giveUp(prepared: PreparedOperation): void {
    const known = runs.get(prepared);
    if (known !== undefined) known.compiled = undefined;
  }

  // A query without subscriptions, `@defer` and `@stream` gives one result.
  const interpret = (args: ExecutionArgs) =>
    normalizedExecutor(args) as ExecutionResult | Promise<ExecutionResult>;

  return (prepared, args) => {
    // What else runs on the schema of somebody who may not see everything, and what writes, is not worth compiling.
    if (args.schema !== compiles || prepared.operation.operation !== 'query') return interpret(args);
    const compiled = compiledOf(prepared);
    if (compiled === undefined) return interpret(args);
    const result = compiled.query(args.rootValue, args.contextValue, args.variableValues);
    // The compiler words errors in its own way. A query changes nothing, so it can be run once more: this once.
    const sameAnswer = (answer: ExecutionResult) => {
      if (answer.errors === undefined) return answer;
      giveUp(prepared);
      return interpret(args);
    };
    return result instanceof Promise ? result.then(sameAnswer) : sameAnswer(result);
  };
}

function compile(
  schema: GraphQLSchema,
  { document, operationName }: PreparedOperation,
): CompiledQuery | undefined {
  if (takesArguments(schema, document) || countFields(document) > MAX_FIELDS) return undefined;
  try {
    const compiled = compileQuery(schema, document, operationName ?? '');
    return isCompiledQuery(compiled) ? compiled : undefined;
  } catch {
    return undefined; // what the compiler does not understand is interpreted
  }
}

/** How many fields the operations have with every fragment written out where it is spread, as the compiler does. */
function countFields(document: DocumentNode): number {
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one.selectionSet] as const] : [],
    ),
  );
  const counts = new Map<SelectionSetNode, number>();
  const countIn = (selectionSet: SelectionSetNode | undefined): number => {
    if (selectionSet === undefined) return 0;
    const known = counts.get(selectionSet);
    if (known !== undefined) return known;
    const count = selectionSet.selections.reduce((sum, selection) => {
      const inside =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? fragments.get(selection.name.value)
          : selection.selectionSet;
      return sum + 1 + countIn(inside);
    }, 0);
    counts.set(selectionSet, count);
    return count;
  };
  return document.definitions.reduce(
    (sum, one) => sum + (one.kind === Kind.OPERATION_DEFINITION ? countIn(one.selectionSet) : 0),
    0,
  );
}

/** The compiler does not know of graphql 17's default values, so what may have one is not for it. */
function takesArguments(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let found = false;
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      [Kind.VARIABLE_DEFINITION]() {
        found = true;
      },
      [Kind.FIELD]() {
        found ||= (typeInfo.getFieldDef()?.args.length ?? 0) > 0;
      },
    }),
  );
  return found;
}

/** The compiler takes a property for a plain value where a field has no resolver; it may be a promise or a function. */
function withResolvers(schema: GraphQLSchema): GraphQLSchema {
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field) => ({ ...field, resolve: field.resolve ?? defaultFieldResolver }),
  });
}
