// Validates the option `now`, a clock that replaces the system's.
import { ConfigError } from '../errors.ts';

/** The rule for messages, after `must`. */
export const CLOCK_RULE = 'be a function that returns a Date';

/** @returns false also for a function that returns milliseconds or an invalid Date: it would fail later, far from the mistake */
export function isClock(now: unknown): boolean {
  if (typeof now !== 'function') return false;
  const date: unknown = now();
  return date instanceof Date && !Number.isNaN(date.getTime());
}

/** @throws ConfigError if `now` is not a clock */
export function assertClock(now: unknown): void {
  if (!isClock(now)) throw new ConfigError([`now: must ${CLOCK_RULE}`]);
}
