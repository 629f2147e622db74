// Completes the values that resolvers return: serializes leaves, awaits promises, and bails out on anything irregular.
import type { ExecutionContext } from '@graphql-tools/executor';
import type { Path } from '@graphql-tools/utils';
import {
  type FieldNode,
  GraphQLBoolean,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLOutputType,
  GraphQLString,
  isLeafType,
} from 'graphql';

/** State of one execution of a compiled query. */
export interface Run {
  context: ExecutionContext;
  /** Copies an array of nodes once per run. The executor passes new arrays per request, so applications may key per-request data by them. */
  copyNodes(nodes: FieldNode[]): FieldNode[];
  hasBailedOut: boolean;
  /**
   * Ends the run, because the executor has to give the result. Pending promises continue so that every rejection is handled,
   * but the caller does not wait for them.
   * @returns null, in place of the value
   */
  bailOut(): null;
}

/** Converts the value of a resolver to the value in the response. May throw, but its promises never reject. Leaves need no path. */
export type Complete = (value: unknown, path: Path | undefined, run: Run) => unknown;

/** Completes a value: at once, or when its promise resolves. */
export function settle(value: unknown, complete: Complete, path: Path | undefined, run: Run): unknown {
  if (!isPromise(value)) return complete(value, path, run);
  const completeLater = (resolved: unknown) => {
    try {
      return complete(resolved, path, run);
    } catch {
      return run.bailOut();
    }
  };
  // Calls `then` directly, as the executor does, because the value may be a promise of another library.
  const completed: unknown = value.then(completeLater, run.bailOut);
  if (completed instanceof Promise) return completed;
  return isPromise(completed)
    ? Promise.resolve(completed).then((resolved) => resolved, run.bailOut)
    : run.bailOut();
}

/** Completes a value, and bails out if that throws. */
export function settleSafely(value: unknown, complete: Complete, path: Path | undefined, run: Run): unknown {
  try {
    return settle(value, complete, path, run);
  } catch {
    return run.bailOut();
  }
}

export function compileLeaf(type: GraphQLLeafType): Complete {
  return (value, _path, run) => {
    const serialized: unknown = type.serialize(value);
    if (serialized == null) return run.bailOut();
    if (!isPromise(serialized)) return serialized;
    return Promise.resolve(serialized).then(() => run.bailOut(), run.bailOut);
  };
}

/** `__typename`. It is serialized as well, because applications may replace `GraphQLString.serialize`. */
export function compileTypeName(name: string) {
  const isPassthrough = passthroughType(GraphQLString) !== undefined;
  const complete = compileLeaf(GraphQLString);
  return (_source: unknown, path: Path | undefined, run: Run): unknown =>
    isPassthrough ? name : settleSafely(name, complete, path, run);
}

/** The serializers of graphql-js, as they were when this module was loaded. Applications may replace them for all schemas. */
const ORIGINAL_SERIALIZERS = new Map<unknown, { serialize: unknown; passthrough: 'string' | 'boolean' }>([
  [GraphQLString, { serialize: GraphQLString.serialize, passthrough: 'string' }],
  [GraphQLID, { serialize: GraphQLID.serialize, passthrough: 'string' }],
  [GraphQLBoolean, { serialize: GraphQLBoolean.serialize, passthrough: 'boolean' }],
]);

/** The `typeof` of values that a leaf type serializes unchanged; undefined if that depends on the value. */
export function passthroughType(type: GraphQLOutputType): 'string' | 'boolean' | undefined {
  const original = ORIGINAL_SERIALIZERS.get(type);
  return isLeafType(type) && original?.serialize === type.serialize ? original.passthrough : undefined;
}

/** Stands for a value that only a call of the resolver gives. */
export const CALL_RESOLVER = Symbol('call resolver');

/** Reads a property as the default resolver does, or gives `CALL_RESOLVER` if it is a method. */
export function readProperty(source: unknown, name: string): unknown {
  const property = isObjectLike(source) ? (source as Record<string, unknown>)[name] : undefined;
  return typeof property === 'function' ? CALL_RESOLVER : property;
}

function isObjectLike(value: unknown): value is object {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}

/** Whether the executor would await a value. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return isObjectLike(value) && typeof (value as { then?: unknown }).then === 'function';
}
