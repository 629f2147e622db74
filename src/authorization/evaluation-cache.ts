// Caches the errors of denied operations. Bounded by bytes, since clients choose the operations.
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { withoutStack } from '../errors.ts';

/** Bytes of all cached errors, with the responses that the fast path writes from them. */
const MAX_CACHE_BYTES = 8_000_000;
/** Bytes of an error besides its texts: the objects of its path, locations and extensions. */
const ERROR_BYTES = 1_600;
/** Bytes for each character of an error's JSON: the error's own texts, and a response for each of two media types. */
const TEXT_FACTOR = 4;

export interface WithErrors {
  errors: readonly GraphQLError[];
}

export interface EvaluationCache<E extends WithErrors> {
  /** Gives a number that is unique in this cache, so that the keys of one plan differ from those of every other plan. */
  createPlanId(): number;
  get(key: string): E | undefined;
  /** @returns the cached copy of the evaluation, whose errors retain nothing of the request */
  set(key: string, evaluation: E): E;
  /** Estimated size of all entries. */
  readonly bytes: number;
}

export function createEvaluationCache<E extends WithErrors>(maxBytes = MAX_CACHE_BYTES): EvaluationCache<E> {
  const entries = new LRUCache<string, E>({ maxSize: maxBytes });
  let plans = 0;
  return {
    createPlanId() {
      plans += 1;
      return plans;
    },
    get: (key) => entries.get(key),
    set(key, evaluation) {
      const { errors, characters } = detachErrors(evaluation.errors);
      const detached = { ...evaluation, errors };
      const size = ERROR_BYTES * (1 + errors.length) + TEXT_FACTOR * characters + 2 * key.length;
      entries.set(key, detached, { size });
      return detached;
    },
    get bytes() {
      return entries.calculatedSize;
    },
  };
}

/**
 * Copies errors without their nodes, whose locations retain the tokens and the source of the whole document. Names in paths
 * and messages are copied as well, since they are slices of the source. The JSON of the copies is the same.
 */
function detachErrors(errors: readonly GraphQLError[]): { errors: GraphQLError[]; characters: number } {
  const json = JSON.stringify(
    errors.map(({ message, locations, path, extensions }) => ({ message, locations, path, extensions })),
  );
  const parsed: Pick<GraphQLError, 'message' | 'locations' | 'path' | 'extensions'>[] = JSON.parse(json);
  const copies = parsed.map(({ message, locations, path, extensions }) =>
    withoutStack(() =>
      Object.assign(new GraphQLError(message, { path, extensions }), locations && { locations }),
    ),
  );
  return { errors: copies, characters: json.length };
}
