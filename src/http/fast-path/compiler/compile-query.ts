// A plain query as functions, one for each field: what of its execution is the same for every request is done once. They go
// the executor's way, in its order, as long as nothing goes wrong. Where something does, the run is given up, and the
// executor gives the answer.
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
  GraphQLBoolean,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  GraphQLString,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import type { MaybePromise } from '../../../utils/maybe-promise.ts';
import { isCompilable } from './is-compilable.ts';

export interface CompiledQuery {
  /** Fields with every fragment written out; each retains some hundred bytes. */
  fields: number;
  /** It is for this one alone. */
  schema: GraphQLSchema;
  /** Gives nothing where the executor has to answer: something was null that must not be, threw, or is out of the ordinary. */
  run(args: Pick<ExecutionArgs, 'rootValue' | 'contextValue'>): MaybePromise<ExecutionResult | undefined>;
}

interface Run {
  context: ExecutionContext;
  /** Arrays that are this run's own, as those of the executor are: apps keep what belongs to one request by them. */
  nodesOf(nodes: FieldNode[]): FieldNode[];
  hasBailedOut: boolean;
  /**
   * What has begun goes on, so that nothing is rejected unheard; whoever waits for the run need not wait for it.
   * @returns the value in the place of the one that is not known
   */
  bailOut(): null;
}

type GraphQLMethod = (args: object, context: unknown, info: GraphQLResolveInfo) => unknown;

/** What is selected of an object; a promise never rejects. */
type Select = (source: unknown, path: Path | undefined, run: Run) => MaybePromise<Record<string, unknown>>;

/** From what a resolver returned to what is answered; may throw, while a promise never rejects. Leaves need no path. */
type Complete = (value: unknown, path: Path | undefined, run: Run) => unknown;

/** Compiles a query that is plain; undefined for all others. It takes as long as some runs by the executor. */
export function compileQuery(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledQuery | undefined {
  if (operation.operation !== 'query' || !isCompilable(schema, document)) return undefined;
  const queryType = schema.getQueryType();
  const built = buildExecutionContext({ schema, document, operationName: operation.name?.value });
  if (!queryType || Array.isArray(built)) return undefined; // the executor says so
  const context = built as ExecutionContext; // it is no list of errors
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
        if (value === null && isNonNull) break; // the executor asks no further, either
        selected[key] = value; // a promise keeps the place
        if (!(value instanceof Promise)) continue;
        pending ??= [];
        pending.push(
          value.then((there) => {
            selected[key] = there;
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
    if (field === undefined) throw new Error(`There is no field ${parentType.name}.${name}`); // it was validated
    const { resolve } = field;
    const complete = compileType(field.type, nodes);
    const nullable = getNullableType(field.type);
    const isLeaf = isLeafType(nullable);
    const passthrough = passthroughType(nullable);

    const callResolver = (source: unknown, path: Path, { context, nodesOf }: Run): unknown => {
      const info = buildResolveInfo(context, field, nodesOf(nodes), parentType, path);
      if (resolve !== undefined) return resolve(source, {}, context.contextValue, info);
      return (source as Record<string, GraphQLMethod>)[name]?.({}, context.contextValue, info);
    };

    return (source: unknown, parentPath: Path | undefined, run: Run): unknown => {
      try {
        const property = resolve === undefined ? propertyOf(source, name) : CALL_RESOLVER;
        if (typeof property === passthrough) return property; // nearly all there are, in nearly no time
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
    if (!isObjectType(type)) throw new Error(`${type} is not plain`); // it was measured
    return compileFields(type, collectSubFields(schema, fragments, variableValues, type, nodes).fields);
  }

  function compileList(type: GraphQLList<GraphQLOutputType>, nodes: FieldNode[]): Complete {
    const complete = compileType(type.ofType, nodes);
    const isNonNull = isNonNullType(type.ofType);

    /** @returns whether the executor would read on */
    function add(items: unknown[], item: unknown, path: Path | undefined, run: Run): boolean {
      const completed = completeItem(item, complete, addPath(path, items.length, undefined), run);
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
    const ownNodes = new Map<FieldNode[], FieldNode[]>();
    const run: Run = {
      context: { ...context, rootValue, contextValue, variableValues: noVariables() },
      nodesOf(nodes) {
        const own = ownNodes.get(nodes) ?? [...nodes];
        ownNodes.set(nodes, own);
        return own;
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
      data.then((there) => resolve(run.hasBailedOut ? undefined : { data: there }));
    });
  }

  return { fields: fieldCount, schema, run: runQuery };
}

/** As the executor has them where an operation defines none. */
function noVariables(): ExecutionContext['variableValues'] {
  return { coerced: Object.create(null), sources: Object.create(null) };
}

/** Stands for a value that the resolver has to be asked for. */
const CALL_RESOLVER = Symbol('ask');

/** What the default resolver reads; it is asked for what it would call. */
function propertyOf(source: unknown, name: string): unknown {
  const property = isObjectLike(source) ? (source as Record<string, unknown>)[name] : undefined;
  return typeof property === 'function' ? CALL_RESOLVER : property;
}

/** As graphql has them; an app may put others in their place, for all schemas. */
const OWN_SERIALIZERS = new Map<unknown, { serialize: unknown; passthrough: 'string' | 'boolean' }>([
  [GraphQLString, { serialize: GraphQLString.serialize, passthrough: 'string' }],
  [GraphQLID, { serialize: GraphQLID.serialize, passthrough: 'string' }],
  [GraphQLBoolean, { serialize: GraphQLBoolean.serialize, passthrough: 'boolean' }],
]);

/** What a leaf type answers as it is, by `typeof`; undefined where that depends. */
function passthroughType(type: GraphQLOutputType): 'string' | 'boolean' | undefined {
  const own = OWN_SERIALIZERS.get(type);
  return isLeafType(type) && own?.serialize === type.serialize ? own.passthrough : undefined;
}

function compileTypeName(name: string) {
  const isKept = passthroughType(GraphQLString) !== undefined;
  const complete = compileLeaf(GraphQLString);
  return (_source: unknown, path: Path | undefined, run: Run): unknown =>
    isKept ? name : completeItem(name, complete, path, run);
}

function isObjectLike(value: unknown): value is object {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}

/** What the executor waits for. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return isObjectLike(value) && typeof (value as { then?: unknown }).then === 'function';
}

function compileLeaf(type: GraphQLLeafType): Complete {
  return (value, _path, run) => {
    const serialized: unknown = type.serialize(value);
    if (serialized == null) return run.bailOut();
    if (!isPromise(serialized)) return serialized;
    return Promise.resolve(serialized).then(() => run.bailOut(), run.bailOut);
  };
}

function completeItem(item: unknown, complete: Complete, path: Path | undefined, run: Run): unknown {
  try {
    return settle(item, complete, path, run);
  } catch {
    return run.bailOut();
  }
}

/** Completes a value when it is there. */
function settle(value: unknown, complete: Complete, path: Path | undefined, run: Run): unknown {
  if (!isPromise(value)) return complete(value, path, run);
  const completeLater = (there: unknown) => {
    try {
      return complete(there, path, run);
    } catch {
      return run.bailOut();
    }
  };
  // As the executor does it, also with what is no promise of JavaScript's own.
  const completed: unknown = value.then(completeLater, run.bailOut);
  if (completed instanceof Promise) return completed;
  return isPromise(completed)
    ? Promise.resolve(completed).then((there) => there, run.bailOut)
    : run.bailOut();
}
