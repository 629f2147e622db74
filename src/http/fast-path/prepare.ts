// Everything about an operation that does not depend on the request, done once for each text.
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

/** An operation that is valid, within the limits, and answered in one piece. */
export interface PreparedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  operationName: string | undefined;
  /** The guard's, of this operation. */
  decide: Decide;
  /** Where it is plain, for those who may have everything in it; taken away where a run of it has been given up. */
  compiled: CompiledQuery | undefined;
}

/** The functions of Yoga's door, with all its plugins. */
export interface EnvelopedFunctions {
  schema: GraphQLSchema;
  parse(text: string): DocumentNode;
  validate(schema: GraphQLSchema, document: DocumentNode): readonly Error[];
}

/** Kept for each text; without an operation if the Yoga handler has to answer it. */
export interface Preparation {
  prepared: PreparedOperation | undefined;
}

export interface PreparationDeps {
  getEnveloped(operationName?: string): EnvelopedFunctions;
  guard: Pick<Guard, 'prepare'>;
  findExceededLimit: FindExceededLimit;
  /** The schema that queries are compiled for; undefined: none is compiled. */
  compileFor: GraphQLSchema | undefined;
}

/** Bytes of operations sent once. */
const MAX_BYTES_SEEN_ONCE = 4_000_000;
/** Bytes of operations sent again: some hundreds of usual length. */
const MAX_BYTES_SEEN_TWICE = 12_000_000;
/** Bytes that an operation retains beside its document: fixed, a planned field, a compiled field. */
const OPERATION_BYTES = 2_000;
const PLANNED_FIELD_BYTES = 160;
const COMPILED_FIELD_BYTES = 700;
/** What the key of a text with an operation's name begins with. */
const NAMED = '\0';
/** Longer texts are for the other door. */
const MAX_TEXT_LENGTH = 20_000;

/**
 * @returns a function that gives the operation to run, prepared; undefined where it is for the other door, which says
 *   what is wrong with it, or answers it in parts
 */
export function createPreparedOperations(
  { getEnveloped, guard, findExceededLimit, compileFor }: PreparationDeps,
  cache: SeenCache<Preparation> = createSeenCache({
    maxBytesSeenOnce: MAX_BYTES_SEEN_ONCE,
    maxBytesSeenTwice: MAX_BYTES_SEEN_TWICE,
  }),
) {
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
      return undefined; // the Yoga handler says why
    }
  }

  const toCacheKey = (text: string, operationName: string | undefined) =>
    operationName === undefined ? text : `${NAMED}${operationName.length} ${operationName}${text}`;

  function findPrepared(text: string, operationName: string | undefined): PreparedOperation | undefined {
    if (text.length > MAX_TEXT_LENGTH || (operationName?.length ?? 0) > MAX_TEXT_LENGTH) return undefined;
    if (text.startsWith(NAMED)) return undefined; // no document begins so, and no text may pass for a key
    const key = toCacheKey(text, operationName);
    let preparation = cache.get(key);
    if (preparation === undefined) {
      preparation = { prepared: prepare(text, operationName) };
      cache.set(key, preparation, preparedBytes(preparation));
    }
    return preparation.prepared;
  }

  /** Whether the text is in the cache, so that it takes no time to prepare. */
  const isPrepared = (text: string, operationName: string | undefined) =>
    cache.has(toCacheKey(text, operationName));
  return Object.assign(findPrepared, { isPrepared });
}

/** Bytes that are retained beside the key. */
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
