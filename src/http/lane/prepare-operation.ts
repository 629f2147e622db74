// Everything about an operation that does not depend on the request, done once for each text.
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Decide, Guard } from '../../guard/create-guard.ts';
import { hasTooManyRootFields } from '../use-root-field-limit.ts';
import { type CompiledQuery, compileQuery } from './compile-query.ts';

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
export interface DocumentReader {
  schema: GraphQLSchema;
  parse(text: string): DocumentNode;
  validate(schema: GraphQLSchema, document: DocumentNode): readonly Error[];
}

export interface PreparationDeps {
  readerOf(operationName?: string): DocumentReader;
  guard: Pick<Guard, 'prepare'>;
  /** The schema that queries are compiled for; undefined: none is compiled. */
  compiles: GraphQLSchema | undefined;
}

/** In characters, all texts together; a document takes some hundred bytes of memory for each. */
const MAX_NEW_LENGTH = 50_000;
const MAX_KNOWN_LENGTH = 300_000;
/** What the key of a text with an operation's name begins with. */
const NAMED = '\0';
/** Longer texts are for the other door. */
const MAX_TEXT_LENGTH = 20_000;

/**
 * @returns a function that gives the operation to run, prepared; undefined where it is for the other door, which says
 *   what is wrong with it, or answers it in parts
 */
export function createPreparedOperations({ readerOf, guard, compiles }: PreparationDeps) {
  /** Texts seen twice: what clients go on sending. */
  const known = createTexts(MAX_KNOWN_LENGTH);
  /** Texts seen once wait here, where only others seen once push them out. */
  const fresh = createTexts(MAX_NEW_LENGTH);

  function prepare(text: string, operationName: string | undefined): PreparedOperation | 'other door' {
    const { schema, parse, validate } = readerOf(operationName);
    try {
      const document = parse(text);
      if (validate(schema, document).length > 0) return 'other door';
      const operation = getOperationAST(document, operationName);
      if (!operation || operation.operation === 'subscription') return 'other door';
      if (hasTooManyRootFields(document, operation) || comesInParts(document)) return 'other door';
      const decide = guard.prepare(schema, document, operationName);
      const compiled = compiles && compileQuery(compiles, document, operation);
      return { document, operation, operationName, decide, compiled };
    } catch {
      return 'other door'; // it says why
    }
  }

  return (text: string, operationName: string | undefined): PreparedOperation | undefined => {
    if (text.length > MAX_TEXT_LENGTH || (operationName?.length ?? 0) > MAX_TEXT_LENGTH) return undefined;
    if (text.startsWith(NAMED)) return undefined; // no document begins so, and no text may pass for a key
    const key =
      operationName === undefined ? text : `${NAMED}${operationName.length} ${operationName}${text}`;
    let prepared = known.get(key);
    if (prepared === undefined) {
      prepared = fresh.get(key);
      if (prepared === undefined) {
        prepared = prepare(text, operationName);
        fresh.set(key, prepared);
      } else {
        fresh.delete(key);
        known.set(key, prepared);
      }
    }
    return prepared === 'other door' ? undefined : prepared;
  };
}

function createTexts(maxLength: number) {
  return new LRUCache<string, PreparedOperation | 'other door'>({
    maxSize: maxLength,
    sizeCalculation: (_, key) => key.length + 1,
  });
}

function comesInParts(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    [Kind.DIRECTIVE]({ name }) {
      found ||= name.value === 'defer' || name.value === 'stream';
    },
  });
  return found;
}
