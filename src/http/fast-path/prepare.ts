// Prepares operations: does everything that does not depend on the request once per text, and caches it.
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import type { Decide, Guard } from '../../authorization/guard.ts';
import { documentBytes } from '../documents/document-bytes.ts';
import { createSeenCache, type SeenCache } from '../documents/seen-cache.ts';
import type { FindExceededLimit } from '../limits/operation-limits.ts';
import { type CompiledQuery, compileQuery } from './compiler/compile-query.ts';

/** An operation that is valid, within the limits, and has a single response. */
export interface PreparedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  operationName: string | undefined;
  /** The guard's decision function for this operation. */
  decide: Decide;
  /** Present if the query is compilable. For callers who may access every field in it. Removed when a run bails out. */
  compiled: CompiledQuery | undefined;
}

/** The functions of the Yoga server, with all its plugins. */
export interface EnvelopedFunctions {
  schema: GraphQLSchema;
  parse(text: string): DocumentNode;
  validate(schema: GraphQLSchema, document: DocumentNode): readonly Error[];
}

export interface PreparedOperations {
  /**
   * @returns undefined if the Yoga handler has to respond: to report errors in the text, or to send an incremental response
   */
  get(text: string, operationName: string | undefined): PreparedOperation | undefined;
  /** Whether the cache has the text, so that `get` takes no time. */
  has(text: string, operationName: string | undefined): boolean;
}

/** Cache entry of a text. `prepared` is undefined if the text goes to the Yoga handler. */
export interface Preparation {
  prepared: PreparedOperation | undefined;
}

export interface PreparationDeps {
  getEnveloped(operationName?: string): EnvelopedFunctions;
  guard: Pick<Guard, 'prepare'>;
  findExceededLimit: FindExceededLimit;
  /** Schema to compile queries for. Undefined: queries are not compiled. */
  compileFor: GraphQLSchema | undefined;
}

/** Maximum bytes of operations sent once. */
const MAX_BYTES_SEEN_ONCE = 4_000_000;
/** Maximum bytes of operations sent again: some hundreds of usual length. */
const MAX_BYTES_SEEN_TWICE = 12_000_000;
/** Bytes that an operation retains besides its document: fixed, per planned field and per compiled field. */
const OPERATION_BYTES = 2_000;
const PLANNED_FIELD_BYTES = 160;
const COMPILED_FIELD_BYTES = 700;
/** First character of the cache key of a text with an operation name. */
const NAMED = '\0';
/** Maximum length of a text, in characters. Longer texts go to the Yoga handler. */
const MAX_TEXT_LENGTH = 20_000;

/** Creates the cache of prepared operations. Each text is parsed, validated, planned and compiled when it is first read. */
export function createPreparedOperations(
  { getEnveloped, guard, findExceededLimit, compileFor }: PreparationDeps,
  cache: SeenCache<Preparation> = createSeenCache({
    maxBytesSeenOnce: MAX_BYTES_SEEN_ONCE,
    maxBytesSeenTwice: MAX_BYTES_SEEN_TWICE,
  }),
): PreparedOperations {
  function prepare(text: string, operationName: string | undefined): PreparedOperation | undefined {
    const { schema, parse, validate } = getEnveloped(operationName);
    try {
      const document = parse(text);
      if (validate(schema, document).length > 0) return undefined;
      const operation = getOperationAST(document, operationName);
      if (!operation || operation.operation === 'subscription') return undefined;
      if (findExceededLimit(schema, document, operationName) || isIncremental(document)) return undefined;
      const decide = guard.prepare(schema, document, operationName);
      const compiled = compileFor && compileQuery(compileFor, document, operation);
      return { document, operation, operationName, decide, compiled };
    } catch {
      return undefined; // the Yoga handler reports the error
    }
  }

  const toCacheKey = (text: string, operationName: string | undefined) =>
    operationName === undefined ? text : `${NAMED}${operationName.length} ${operationName}${text}`;

  return {
    get(text, operationName) {
      if (text.length > MAX_TEXT_LENGTH || (operationName?.length ?? 0) > MAX_TEXT_LENGTH) return undefined;
      if (text.startsWith(NAMED)) return undefined; // no document begins with it, and no text may equal a key
      const key = toCacheKey(text, operationName);
      let preparation = cache.get(key);
      if (preparation === undefined) {
        preparation = { prepared: prepare(text, operationName) };
        cache.set(key, preparation, preparedBytes(preparation));
      }
      return preparation.prepared;
    },
    has: (text, operationName) => cache.has(toCacheKey(text, operationName)),
  };
}

/** Bytes that an entry retains besides its key. */
function preparedBytes({ prepared }: Preparation): number {
  if (prepared === undefined) return 0;
  const { document, decide, compiled } = prepared;
  const plan = PLANNED_FIELD_BYTES * (decide.plannedFields ?? 0);
  return OPERATION_BYTES + documentBytes(document) + plan + COMPILED_FIELD_BYTES * (compiled?.fields ?? 0);
}

function isIncremental(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    [Kind.DIRECTIVE]({ name }) {
      found ||= name.value === 'defer' || name.value === 'stream';
    },
  });
  return found;
}
