// Finds the keys of a verifier: at a URL, or with a function of the application.
import type { ReportCause } from '../token-log.ts';
import { DEFAULT_MAX_KEY_AGE_SECONDS, type VerifierOptions } from '../verifier-options.ts';
import { createRemoteKeys, type KeyFinder } from './remote-keys.ts';

/** An application's function is called for each token that is not cached; the maximum key age does not apply to it. */
export function createKeyFinder(options: VerifierOptions, report: ReportCause): KeyFinder {
  const { keys, now = () => new Date(), maxKeyAgeSeconds = DEFAULT_MAX_KEY_AGE_SECONDS } = options;
  return keys instanceof URL
    ? createRemoteKeys(keys, { maxKeyAgeSeconds, now, report })
    : { find: keys, usableUntilMs: () => Infinity };
}
