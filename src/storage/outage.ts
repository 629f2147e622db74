// Recognizes database errors that may pass, turns them into STORE_UNAVAILABLE, and logs each outage once.
import { AuthError } from '../errors.ts';
import type { Log } from '../utils/log.ts';
import type { Interceptor } from './wrap-driver.ts';

/**
 * Classifies the error of a database driver:
 * - `outage`: the database is not reachable or cannot work at the moment.
 * - `transient`: the database works, but did not complete this statement, because of a lock or a timeout.
 * - `other`: anything else, such as a mistake in a statement.
 */
export type ClassifyError = (error: unknown) => 'outage' | 'transient' | 'other';

/**
 * @returns an interceptor that throws `outage` and `transient` errors as {@link AuthError} `STORE_UNAVAILABLE`, with the
 *   original as the cause, and all other errors unchanged
 */
export function createOutageDetector(classify: ClassifyError, log: Log): Interceptor {
  let unavailableSince: number | undefined;
  return async (task) => {
    try {
      const result = await task();
      if (unavailableSince !== undefined) {
        const seconds = Math.round((performance.now() - unavailableSince) / 1000);
        log.info({ seconds }, 'database available again');
        unavailableSince = undefined;
      }
      return result;
    } catch (error) {
      const kind = classify(error);
      if (kind === 'other') throw error;
      if (kind === 'transient') {
        log.warn(
          { reason: describeOutage(error) },
          'database busy; one request failed with STORE_UNAVAILABLE',
        );
      } else if (unavailableSince === undefined) {
        unavailableSince = performance.now();
        log.error(
          { reason: describeOutage(error) },
          'database unavailable; dependent requests fail with STORE_UNAVAILABLE',
        );
      }
      throw new AuthError('STORE_UNAVAILABLE', {}, undefined, { cause: error });
    }
  };
}

/** @returns the message in one line, without a stack: an outage has its cause outside of the program */
export function describeOutage(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeOutage).join(', ');
  return error instanceof Error ? error.message : String(error);
}
