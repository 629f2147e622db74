// Tells a database that cannot be had at the moment from every other fault, and says so once in the log.

import { AuthError } from '../errors.ts';
import type { Log } from '../utils/log.ts';
import type { Interceptor } from './wrap-driver.ts';

/**
 * What a driver's error means. `outage`: the database is not to be had, and may be again later. `momentary`: it is there,
 * and did not get to this one thing. `fault`: anything else.
 */
export type ClassifyError = (error: unknown) => 'outage' | 'momentary' | 'fault';

/** @returns what turns the first two into an `AuthError` `STORE_UNAVAILABLE`, with the error as its cause */
export function createOutageDetector(classify: ClassifyError, log: Log): Interceptor {
  let unavailableSince: number | undefined;
  return async (task) => {
    try {
      const result = await task();
      if (unavailableSince !== undefined) {
        log.info(
          { seconds: Math.round((performance.now() - unavailableSince) / 1000) },
          'the store answers again',
        );
        unavailableSince = undefined;
      }
      return result;
    } catch (error) {
      const judgement = classify(error);
      if (judgement === 'fault') throw error;
      if (judgement === 'momentary') log.warn({ reason: describeOutage(error) }, 'the store is too busy');
      else if (unavailableSince === undefined) {
        unavailableSince = performance.now();
        log.error({ reason: describeOutage(error) }, 'the store does not answer; what needs it is refused');
      }
      throw new AuthError('STORE_UNAVAILABLE', {}, undefined, { cause: error });
    }
  };
}

/** In a line: an outage is nobody's mistake, so where in the code it was met tells nothing. */
export function describeOutage(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeOutage).join(', ');
  return error instanceof Error ? error.message : String(error);
}
