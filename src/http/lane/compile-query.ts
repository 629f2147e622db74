// Compiles queries so that they answer as the executor does. graphql-jit is fast where it reads plain values by itself, but
// takes a promise or a function for a plain value too, and never answers where a getter or an iterator throws. So what a
// query selects is taken out of the app's objects first, as soon as they are there (in what order fields are asked is
// nobody's concern: GraphQL, section 6.3.1); a field that turns out not to be plain is asked by its resolver.
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { PromiseOrValue } from '../../at-once.ts';
import type { PreparedOperation } from './prepare-operation.ts';

export interface QueryCompiler {
  /** @returns undefined where graphql-jit does not understand it */
  compile(prepared: PreparedOperation): CompiledOperation | undefined;
}

export interface CompiledOperation {
  /** Errors are not those of the executor: a result that has some is not for the caller. It may throw and reject. */
  run(args: ExecutionArgs): PromiseOrValue<ExecutionResult>;
  /** Whether fields have since turned out not to be plain: compiled anew, it asks their resolvers. */
  isOutdated(): boolean;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/** What resolvers are told beside what the executor tells them. */
interface CompiledInfo extends GraphQLResolveInfo {
  /** Takes what is selected in this field's object, or in each of its objects. */
  taker: Taker;
}

interface Taker {
  leaves: readonly string[];
  /** Throws where one of the leaves is not plain. */
  take(source: object): object;
}

/** Where what was taken out of an object has the object itself, for resolvers. */
const SOURCE = Symbol('source');

export function createQueryCompiler(schema: GraphQLSchema): QueryCompiler {
  let fieldsLearnt = 0;

  const compiled = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field, _, typeName) => {
      const { resolve = defaultFieldResolver, type } = field;
      const isPlain = resolve === defaultFieldResolver && isLeafType(getNullableType(type));
      // There is no resolver that returns the root, so nothing is taken out of it.
      if (isPlain && typeName !== schema.getQueryType()?.name) return { ...field, resolve: undefined };
      return { ...field, resolve: around(resolve, type) };
    },
  });

  /** The same resolver, given the app's objects, and returning what is taken out of them. */
  function around(resolve: Resolver, type: GraphQLOutputType): Resolver {
    const named = getNamedType(type);
    const isList = isListType(getNullableType(type));
    const isObject = isObjectType(named);
    const convertOne = (value: unknown, taker: Taker) =>
      isObject ? whenThere(value, (source) => take(source, named.name, taker)) : toPromise(value);
    const convert = (value: unknown, taker: Taker) =>
      isList ? toArray(value, (item) => convertOne(item, taker)) : convertOne(value, taker);
    return (source, args, context, info) => {
      const value = resolve(sourceOf(source), args, context, info);
      if (!isList && !isObject) return toPromise(value);
      const { taker } = info as CompiledInfo; // as compiled below
      return whenThere(value, (there) => convert(there, taker));
    };
  }

  function take(source: unknown, typeName: string, { take, leaves }: Taker): unknown {
    if (source == null || source instanceof Error) return source;
    if (typeof source !== 'object' && typeof source !== 'function') throw notPlain();
    try {
      return take(source);
    } catch (error) {
      for (const name of leaves) if (!isPlainIn(source, name)) learn(typeName, name);
      throw error;
    }
  }

  function learn(typeName: string, fieldName: string): void {
    const type = compiled.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (field === undefined || field.resolve !== undefined) return;
    field.resolve = around(defaultFieldResolver, field.type);
    fieldsLearnt += 1;
  }

  function compile({ document, operationName }: PreparedOperation): CompiledOperation | undefined {
    const query = compileQuery(compiled, document, operationName ?? '', {
      resolverInfoEnricher: (info) => ({
        taker: createTaker(leavesOf(info as unknown as GraphQLResolveInfo)),
      }), // all of it that is used
    });
    if (!isCompiledQuery(query)) return undefined;
    const known = fieldsLearnt;
    return {
      run: ({ rootValue, contextValue, variableValues }) =>
        query.query(rootValue, contextValue, variableValues),
      isOutdated: () => fieldsLearnt > known,
    };
  }

  return {
    compile(prepared) {
      try {
        return compile(prepared);
      } catch {
        return undefined;
      }
    },
  };
}

/** The names of what is selected in a field's object and has no resolver. */
function leavesOf({
  fieldNodes,
  returnType,
  fragments,
}: Pick<GraphQLResolveInfo, 'fieldNodes' | 'returnType' | 'fragments'>): readonly string[] {
  const type = getNamedType(returnType);
  if (!isObjectType(type)) return [];
  const fields = type.getFields();
  const names = new Set<string>();
  const look = (selectionSet: SelectionSetNode | undefined): void => {
    for (const selection of selectionSet?.selections ?? []) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) look(fragments[selection.name.value]?.selectionSet);
      else if (selection.kind === Kind.INLINE_FRAGMENT) look(selection.selectionSet);
      else if (fields[selection.name.value]?.resolve === undefined) names.add(selection.name.value);
    }
  };
  for (const { selectionSet } of fieldNodes) look(selectionSet);
  names.delete('__typename'); // the compiler knows it
  return [...names];
}

/** By code that is made for it, as the compiler's is, which reads and writes properties several times faster than a loop. */
function createTaker(leaves: readonly string[]): Taker {
  const assignments = leaves.map((name) => `this.${name} = plain(source.${name});`); // names of the schema's fields
  const code = `return function Taken(source) { this[SOURCE] = source; ${assignments.join(' ')} }`;
  const Taken = new Function('plain', 'SOURCE', code)(plain, SOURCE);
  return { leaves, take: (source) => new Taken(source) };
}

function sourceOf(source: unknown): unknown {
  return typeof source === 'object' && source !== null && SOURCE in source ? source[SOURCE] : source;
}

function plain(value: unknown): unknown {
  if (typeof value === 'function' || isThenable(value)) throw notPlain();
  return value;
}

function isPlainIn(source: object, name: string): boolean {
  try {
    plain((source as Record<string, unknown>)[name]);
    return true;
  } catch {
    return false;
  }
}

function notPlain(): Error {
  return new Error('The compiler has no word for it');
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** The compiler cannot wait for what is there as soon as it is asked. */
function toPromise(value: unknown): unknown {
  return isThenable(value) ? Promise.resolve(value) : value;
}

function whenThere<R>(value: unknown, next: (value: unknown) => R): R | Promise<R> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

/** A list as an array, so that its iterator has run when the compiler reads it; what is no list stays as it is. */
function toArray(list: unknown, convert: (item: unknown) => unknown): unknown {
  const convertOrSay = (item: unknown) => {
    try {
      return convert(item);
    } catch {
      return notPlain(); // not thrown: nobody would hear of what other items reject with
    }
  };
  if (Array.isArray(list)) return list.map(convertOrSay);
  if (typeof list !== 'object' || list === null) return list;
  if (Symbol.asyncIterator in list) throw notPlain();
  return Symbol.iterator in list ? [...(list as Iterable<unknown>)].map(convertOrSay) : list;
}
