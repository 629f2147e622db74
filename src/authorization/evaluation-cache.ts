// Keeps the errors of denied operations for later requests, bounded by bytes: a client can send ever-new operations.
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { withoutStack } from '../errors.ts';

/** Bytes of all errors that are kept, with the responses that the fast path writes from them. */
const MAX_BYTES = 8_000_000;
/** Bytes of an error beside its texts: the objects that its path, locations and extensions consist of. */
const ERROR_BYTES = 1_600;
/** Copies of the texts, in bytes a character of JSON: the error's own, and a response for each of two media types. */
const TEXT_FACTOR = 4;

export interface WithErrors {
  errors: readonly GraphQLError[];
}

export interface EvaluationCache<E extends WithErrors> {
  get(key: string): E | undefined;
  /** @returns the evaluation as it is kept, with errors that retain nothing of the request */
  set(key: string, evaluation: E): E;
  /** Bytes of everything that is kept. */
  readonly bytes: number;
}

export function createEvaluationCache<E extends WithErrors>(maxBytes = MAX_BYTES): EvaluationCache<E> {
  const kept = new LRUCache<string, E>({ maxSize: maxBytes });
  return {
    get: (key) => kept.get(key),
    set(key, evaluation) {
      const { errors, characters } = detachErrors(evaluation.errors);
      const detached = { ...evaluation, errors };
      const size = ERROR_BYTES * (1 + errors.length) + TEXT_FACTOR * characters + 2 * key.length;
      kept.set(key, detached, { size });
      return detached;
    },
    get bytes() {
      return kept.calculatedSize;
    },
  };
}

/**
 * Copies errors without their nodes, whose locations retain the tokens and the source of the whole document. Names in paths
 * and messages are copied too: they are slices of the source. The JSON of the copies is the same.
 */
function detachErrors(errors: readonly GraphQLError[]): { errors: GraphQLError[]; characters: number } {
  const json = JSON.stringify(
    errors.map(({ message, locations, path, extensions }) => ({ message, locations, path, extensions })),
  );
  const plain: Pick<GraphQLError, 'message' | 'locations' | 'path' | 'extensions'>[] = JSON.parse(json);
  const copies = plain.map(({ message, locations, path, extensions }) =>
    withoutStack(() =>
      Object.assign(new GraphQLError(message, { path, extensions }), locations && { locations }),
    ),
  );
  return { errors: copies, characters: json.length };
}
