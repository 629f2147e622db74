// Where a verifier gets its keys: from a URL, or from a function of the application's.

import type { ReportCause } from '../token-log.ts';
import { DEFAULT_MAX_KEY_AGE_SECONDS, type VerifierOptions } from '../verifier-options.ts';
import { createRemoteKeys, type KeyFinder } from './remote-keys.ts';

/** A function's keys have no age that could be known here: it is called for each token that is not in the cache. */
export function createKeyFinder(options: VerifierOptions, report: ReportCause): KeyFinder {
  const { keys, now = () => new Date(), maxKeyAgeSeconds = DEFAULT_MAX_KEY_AGE_SECONDS } = options;
  return keys instanceof URL
    ? createRemoteKeys(keys, { maxKeyAgeSeconds, now, report })
    : { find: keys, usableUntilMs: () => Infinity };
}
