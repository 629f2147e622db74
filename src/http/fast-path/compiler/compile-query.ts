// Compiles simple queries to functions, one per field, so that work which is the same for every request is done once. They do the
// same steps as the executor, in the same order. On any irregularity the run bails out, and the executor gives the result.
import { buildExecutionContext, buildResolveInfo, type ExecutionContext } from '@graphql-tools/executor';
import {
  addPath,
  collectFields,
  collectSubFields,
  isAsyncIterable,
  isIterableObject,
  type Path,
} from '@graphql-tools/utils';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import type { MaybePromise } from '../../../utils/maybe-promise.ts';
import {
  CALL_RESOLVER,
  type Complete,
  compileLeaf,
  compileTypeName,
  passthroughType,
  type Run,
  readProperty,
  settle,
  settleSafely,
} from './complete-value.ts';
import { isCompilable } from './is-compilable.ts';

export interface CompiledQuery {
  /** Number of fields, with fragments expanded. Each retains some hundred bytes. */
  fields: number;
  /** The only schema that the query may run on. */
  schema: GraphQLSchema;
  /** @returns undefined if the executor has to give the result, such as after an error or a null in a non-null field */
  run(args: Pick<ExecutionArgs, 'rootValue' | 'contextValue'>): MaybePromise<ExecutionResult | undefined>;
}

type GraphQLMethod = (args: object, context: unknown, info: GraphQLResolveInfo) => unknown;

/** Gives the selected fields of an object. A promise never rejects. */
type Select = (source: unknown, path: Path | undefined, run: Run) => MaybePromise<Record<string, unknown>>;

/**
 * Compiles a query. Takes as long as several executions.
 * @returns undefined if the operation is not compilable
 */
export function compileQuery(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledQuery | undefined {
  if (operation.operation !== 'query' || !isCompilable(schema, document)) return undefined;
  const queryType = schema.getQueryType();
  const built = buildExecutionContext({ schema, document, operationName: operation.name?.value });
  if (!queryType || Array.isArray(built)) return undefined; // the executor reports the errors
  const context = built as ExecutionContext; // not a list of errors
  const { fragments, variableValues } = context;
  const { fields } = collectFields(schema, fragments, variableValues, queryType, operation.selectionSet);
  let fieldCount = 0;
  const select = compileFields(queryType, fields);

  function compileFields(type: GraphQLObjectType, groups: ReadonlyMap<string, FieldNode[]>): Select {
    const compiled = [...groups].map(([key, nodes]) => ({
      key,
      isNonNull: isNonNullType(type.getFields()[nodes[0]?.name.value ?? '']?.type),
      resolveField: compileField(type, key, nodes),
    }));
    return (source, path, run) => {
      const selected: Record<string, unknown> = {};
      let pending: Promise<void>[] | undefined;
      for (const { key, isNonNull, resolveField } of compiled) {
        const value = resolveField(source, path, run);
        if (value === null && isNonNull) break; // the executor resolves no further field either
        selected[key] = value; // reserves the position until the promise resolves
        if (!(value instanceof Promise)) continue;
        pending ??= [];
        pending.push(
          value.then((resolved) => {
            selected[key] = resolved;
          }),
        );
      }
      return pending === undefined ? selected : Promise.all(pending).then(() => selected);
    };
  }

  function compileField(parentType: GraphQLObjectType, key: string, nodes: FieldNode[]) {
    fieldCount += 1;
    const [node] = nodes;
    const name = node?.name.value ?? '';
    if (name === TypeNameMetaFieldDef.name) return compileTypeName(parentType.name);
    const field = parentType.getFields()[name];
    if (field === undefined) throw new Error(`${parentType.name}.${name} does not exist`); // unreachable for a valid document
    const { resolve } = field;
    const complete = compileType(field.type, nodes);
    const nullable = getNullableType(field.type);
    const isLeaf = isLeafType(nullable);
    const passthrough = passthroughType(nullable);

    const callResolver = (source: unknown, path: Path, { context, copyNodes }: Run): unknown => {
      const info = buildResolveInfo(context, field, copyNodes(nodes), parentType, path);
      if (resolve !== undefined) return resolve(source, {}, context.contextValue, info);
      return (source as Record<string, GraphQLMethod>)[name]?.({}, context.contextValue, info);
    };

    return (source: unknown, parentPath: Path | undefined, run: Run): unknown => {
      try {
        const property = resolve === undefined ? readProperty(source, name) : CALL_RESOLVER;
        if (typeof property === passthrough) return property; // the most common case
        if (isLeaf && property !== CALL_RESOLVER) return settle(property, complete, undefined, run);
        const path = addPath(parentPath, key, parentType.name);
        return settle(
          property === CALL_RESOLVER ? callResolver(source, path, run) : property,
          complete,
          path,
          run,
        );
      } catch {
        return run.bailOut();
      }
    };
  }

  function compileType(type: GraphQLOutputType, nodes: FieldNode[]): Complete {
    const isNonNull = isNonNullType(type);
    const nullable = getNullableType(type);
    const complete = compileNullable(nullable, nodes);
    return (value, path, run) => {
      if (value == null) return isNonNull ? run.bailOut() : null;
      return value instanceof Error ? run.bailOut() : complete(value, path, run);
    };
  }

  function compileNullable(type: GraphQLOutputType, nodes: FieldNode[]): Complete {
    if (isLeafType(type)) return compileLeaf(type);
    if (isListType(type)) return compileList(type, nodes);
    if (!isObjectType(type)) throw new Error(`${type} is not compilable`); // unreachable after `isCompilable`
    return compileFields(type, collectSubFields(schema, fragments, variableValues, type, nodes).fields);
  }

  function compileList(type: GraphQLList<GraphQLOutputType>, nodes: FieldNode[]): Complete {
    const complete = compileType(type.ofType, nodes);
    const isNonNull = isNonNullType(type.ofType);

    /** @returns whether the executor would read the next item */
    function add(items: unknown[], item: unknown, path: Path | undefined, run: Run): boolean {
      const completed = settleSafely(item, complete, addPath(path, items.length, undefined), run);
      items.push(completed);
      return completed !== null || !isNonNull;
    }

    async function completeAsync(list: AsyncIterable<unknown>, path: Path | undefined, run: Run) {
      const items: unknown[] = [];
      try {
        for await (const item of list) if (!add(items, item, path, run)) break;
      } catch {
        run.bailOut();
      }
      return Promise.all(items);
    }

    return (list, path, run) => {
      if (isAsyncIterable(list)) return completeAsync(list, path, run);
      if (!isIterableObject(list)) return run.bailOut();
      const items: unknown[] = [];
      try {
        for (const item of list) if (!add(items, item, path, run)) break;
      } catch {
        run.bailOut();
      }
      return items.some((item) => item instanceof Promise) ? Promise.all(items) : items;
    };
  }

  function runQuery({ rootValue, contextValue }: Pick<ExecutionArgs, 'rootValue' | 'contextValue'>) {
    let finishEarly: ((result: undefined) => void) | undefined;
    const copies = new Map<FieldNode[], FieldNode[]>();
    const run: Run = {
      context: { ...context, rootValue, contextValue, variableValues: noVariables() },
      copyNodes(nodes) {
        const copy = copies.get(nodes) ?? [...nodes];
        copies.set(nodes, copy);
        return copy;
      },
      hasBailedOut: false,
      bailOut() {
        run.hasBailedOut = true;
        finishEarly?.(undefined);
        return null;
      },
    };
    const data = select(rootValue, undefined, run);
    if (run.hasBailedOut) return undefined;
    if (!(data instanceof Promise)) return { data };
    return new Promise<ExecutionResult | undefined>((resolve) => {
      finishEarly = resolve;
      data.then((resolved) => resolve(run.hasBailedOut ? undefined : { data: resolved }));
    });
  }

  return { fields: fieldCount, schema, run: runQuery };
}

/** New per run, as in the executor for an operation without variables: resolvers receive the object. */
function noVariables(): ExecutionContext['variableValues'] {
  return { coerced: Object.create(null), sources: Object.create(null) };
}
