// Keys of an issuer, from the URL of its JWK Set: cached, refreshed when stale, and fetched again for an unknown key.
import { createHash } from 'node:crypto';
import { errors, type JWTHeaderParameters, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import type { ReportCause } from '../token-log.ts';
import { fetchJwks, JwksFetchError, withoutQuery } from './fetch-jwks.ts';
import { KeysUnavailableError } from './key-errors.ts';

/** Finds keys for a verifier. */
export interface KeyFinder {
  /**
   * Finds the key for a token's header.
   *
   * @throws KeysUnavailableError if the keys are unavailable; jose's errors if no key matches the header, or several do
   */
  find: JWTVerifyGetKey;
  /** @returns the time until which verified tokens may be cached, in milliseconds since 1970 */
  usableUntilMs(): number;
}

export interface RemoteKeysOptions {
  /** Maximum age of keys that cannot be refreshed. */
  maxKeyAgeSeconds: number;
  /** Clock for the age of keys. */
  now: () => Date;
  report: ReportCause;
  /** Clock for the pauses between fetches, in milliseconds. @default performance.now */
  clock?: () => number;
}

/** Age at which keys are fetched again, so that a key that the issuer withdraws is not accepted for longer. */
const REFRESH_AFTER_SECONDS = 600;
/** Pause after a fetch that timed out: without it, every caller would wait for the next one. */
const TIMEOUT_PAUSE_MS = 2_000;
/** Number of consecutive failures from which a pause follows each failure. */
const FAILURES_WITHOUT_PAUSE = 5;
const FAILURE_PAUSE_MS = 1_000;
/** Time after a failure in which stale keys, unless they are too old, are used without waiting for another fetch. */
const NO_WAIT_AFTER_FAILURE_MS = 10_000;
/**
 * Budget of fetches for unknown keys: five at once, and one more every ten seconds. An attacker chooses the `kid` of a token, and
 * must not be able to make an instance flood the issuer.
 */
const UNKNOWN_KEY_FETCHES = 5;
const UNKNOWN_KEY_FETCH_EVERY_MS = 10_000;
/** Maximum number of unknown keys that are cached as missing, at about 100 bytes each. */
const MAX_ABSENT_KEYS = 1_000;

interface CachedKeys {
  find: JWTVerifyGetKey;
  /** Start of the fetch, in milliseconds since 1970. */
  fetchedAtMs: number;
}

/** @param url fetched when the first token arrives, and then when keys are stale; concurrent callers share a fetch */
export function createRemoteKeys(url: URL, options: RemoteKeysOptions): KeyFinder {
  const { maxKeyAgeSeconds, now, report, clock = () => performance.now() } = options;
  const address = new URL(url); // a copy: the caller can change a URL object
  const shownUrl = withoutQuery(address.href);
  const maxAgeMs = maxKeyAgeSeconds * 1000;
  // At half the maximum age, there is time left to try again.
  const refreshAfterMs = Math.min(REFRESH_AFTER_SECONDS * 1000, maxAgeMs / 2);
  const absent = new LRUCache<string, true>({ max: MAX_ABSENT_KEYS });
  const spendUnknownKeyFetch = createFetchBudget(UNKNOWN_KEY_FETCHES, UNKNOWN_KEY_FETCH_EVERY_MS, clock);
  let cached: CachedKeys | undefined;
  let pending: Promise<void> | undefined;
  let failures = 0;
  let nextFetchAt = -Infinity;
  let failedAt = -Infinity;

  const ageMs = () => (cached === undefined ? Infinity : now().getTime() - cached.fetchedAtMs);
  /** A negative age means that the clock was set back. */
  const isStale = () => ageMs() >= refreshAfterMs || ageMs() < 0;

  async function fetchKeys(): Promise<void> {
    const fetchedAtMs = now().getTime();
    try {
      cached = { find: await fetchJwks(address), fetchedAtMs };
      failures = 0;
    } catch (error) {
      const isTimeout = error instanceof JwksFetchError && error.isTimeout;
      failures += 1;
      failedAt = clock();
      const pauseMs = failures < FAILURES_WITHOUT_PAUSE ? 0 : FAILURE_PAUSE_MS;
      nextFetchAt = clock() + (isTimeout ? TIMEOUT_PAUSE_MS : pauseMs);
      const fields = error instanceof JwksFetchError ? error.fields : {};
      report('KEYS_UNREACHABLE', { url: shownUrl, ...fields });
      throw new KeysUnavailableError(error);
    }
  }

  /** Concurrent callers share one fetch. */
  function refresh(): Promise<void> {
    if (pending === undefined && clock() < nextFetchAt) return Promise.reject(new KeysUnavailableError());
    pending ??= fetchKeys().finally(() => {
      pending = undefined;
    });
    return pending;
  }

  /** Waits for fresh keys, unless the issuer is down and the cached keys are not too old. */
  async function assertKeys(): Promise<CachedKeys> {
    if (isStale()) {
      const refreshing = refresh().catch(() => {});
      const isDown = clock() - failedAt < NO_WAIT_AFTER_FAILURE_MS;
      if (!isDown || ageMs() >= maxAgeMs) await refreshing;
    }
    if (cached !== undefined && ageMs() < maxAgeMs) return cached;
    if (cached !== undefined) report('KEYS_TOO_OLD', { url: shownUrl, maxKeyAgeSeconds });
    throw new KeysUnavailableError();
  }

  /** Fetches the set again for a key that it does not contain: the issuer may have just rotated its keys. */
  async function findUnknown(
    header: JWTHeaderParameters,
    token: Parameters<JWTVerifyGetKey>[1],
    error: unknown,
  ) {
    const name = toCacheKey(header);
    // A fetch in flight may have read the set before the rotation, so that another one may be necessary.
    if (pending !== undefined) {
      await pending.catch(() => {});
      const found = await findIn(cached, header, token);
      if (found !== undefined) return found;
    }
    if (pending === undefined && !spendUnknownKeyFetch()) {
      if (absent.has(name)) throw error;
      report('KEYS_UNREFRESHED', { url: shownUrl });
      throw new KeysUnavailableError();
    }
    await refresh();
    const found = await findIn(cached, header, token);
    if (found !== undefined) return found;
    absent.set(name, true);
    throw error;
  }

  return {
    async find(header, token) {
      const keys = await assertKeys();
      try {
        return await keys.find(header, token);
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return findUnknown(header, token, error);
        throw error;
      }
    },
    usableUntilMs: () => (cached === undefined ? 0 : cached.fetchedAtMs + maxAgeMs),
  };
}

/** @returns undefined if the set has no key for the header */
async function findIn(keys: CachedKeys | undefined, ...[header, token]: Parameters<JWTVerifyGetKey>) {
  try {
    return await keys?.find(header, token);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    throw error;
  }
}

/** @returns a key of fixed length, although the caller chooses the length of `kid` */
function toCacheKey({ alg, kid }: JWTHeaderParameters): string {
  return createHash('sha256')
    .update(JSON.stringify([alg, kid]))
    .digest('base64url');
}

/** @returns a function that spends one fetch: true for `size` at once, and for one more every `intervalMs` */
function createFetchBudget(size: number, intervalMs: number, clock: () => number): () => boolean {
  let left = size;
  let countedAt = clock();
  return () => {
    const earned = Math.max(0, Math.floor((clock() - countedAt) / intervalMs));
    left = Math.min(size, left + earned);
    countedAt += earned * intervalMs;
    if (left === 0) return false;
    left -= 1;
    return true;
  };
}
