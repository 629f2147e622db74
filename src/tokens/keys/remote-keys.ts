// The keys of an issuer by its JWK Set's URL: cached, refreshed when they are stale, fetched again for a key that is unknown.
import { createHash } from 'node:crypto';
import { errors, type JWTHeaderParameters, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import type { ReportCause } from '../token-log.ts';
import { fetchJwks, JwksFetchError, withoutQuery } from './fetch-jwks.ts';
import { KeysUnavailableError } from './key-errors.ts';

/** Finds keys for a verifier. */
export interface KeyFinder {
  /**
   * @throws KeysUnavailableError if the keys are unavailable, and jose's errors if the token's header fits none of them, or
   *   several
   */
  find: JWTVerifyGetKey;
  /** Until then what a key has verified may be cached, in milliseconds since 1970. */
  usableUntilMs(): number;
}

export interface RemoteKeysOptions {
  /** Keys that could not be refreshed for longer are not used. */
  maxKeyAgeSeconds: number;
  /** The age of keys is measured by it. */
  now: () => Date;
  report: ReportCause;
  /** Milliseconds: the pauses between fetches are measured by it. @default performance.now */
  clock?: () => number;
}

/** Keys are fetched again after this time, so that one that the issuer withdraws is not accepted for longer. */
export const REFRESH_AFTER_SECONDS = 600;
/** Pause after a fetch that took too long: without one every caller would wait for the next. */
const TIMEOUT_PAUSE_MS = 2_000;
/** After so many failures in a row there is a pause after each. */
const FAILURES_WITHOUT_PAUSE = 5;
const FAILURE_PAUSE_MS = 1_000;
/** After a failure, keys that are stale but not too old are used without waiting for another fetch. */
const NO_WAIT_AFTER_FAILURE_MS = 10_000;
/**
 * Fetches for unknown keys: five at once, and one more every ten seconds. Callers choose the `kid` of their tokens, so this is
 * what all of them together can make an instance send to the issuer.
 */
const UNKNOWN_KEY_FETCHES = 5;
const UNKNOWN_KEY_FETCH_EVERY_MS = 10_000;
/** Unknown keys that the last set was searched for. An entry has about 100 bytes. */
const MAX_ABSENT_KEYS = 1_000;

interface CachedKeys {
  find: JWTVerifyGetKey;
  /** When their fetch began, in milliseconds since 1970. */
  fetchedAtMs: number;
}

/** @param url fetched when a token comes, once for all who wait */
export function createRemoteKeys(url: URL, options: RemoteKeysOptions): KeyFinder {
  const { maxKeyAgeSeconds, now, report, clock = () => performance.now() } = options;
  const address = new URL(url); // the caller's could be changed
  const shownUrl = withoutQuery(address.href);
  const maxAgeMs = maxKeyAgeSeconds * 1000;
  // With half the maximum age left there is time to try again.
  const refreshAfterMs = Math.min(REFRESH_AFTER_SECONDS * 1000, maxAgeMs / 2);
  const absent = new LRUCache<string, true>({ max: MAX_ABSENT_KEYS });
  const spendUnknownKeyFetch = createFetchBudget(UNKNOWN_KEY_FETCHES, UNKNOWN_KEY_FETCH_EVERY_MS, clock);
  let cached: CachedKeys | undefined;
  let pending: Promise<void> | undefined;
  let failures = 0;
  let nextFetchAt = -Infinity;
  let failedAt = -Infinity;

  const ageMs = () => (cached === undefined ? Infinity : now().getTime() - cached.fetchedAtMs);
  /** A negative age is a clock that was put back. */
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

  /** One fetch for all who wait. */
  function refresh(): Promise<void> {
    if (pending === undefined && clock() < nextFetchAt) return Promise.reject(new KeysUnavailableError());
    pending ??= fetchKeys().finally(() => {
      pending = undefined;
    });
    return pending;
  }

  /** Waits for fresh keys. An issuer that is down does not hold up callers with keys that are known. */
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

  /** Fetches the set again for a key that it does not have, since the issuer may have just rotated its keys. */
  async function findUnknown(
    header: JWTHeaderParameters,
    token: Parameters<JWTVerifyGetKey>[1],
    error: unknown,
  ) {
    const name = toCacheKey(header);
    // The fetch in flight may have read the set before the rotation, so it is not the last word.
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

/** A name of one length for a key that a caller made up. */
function toCacheKey({ alg, kid }: JWTHeaderParameters): string {
  return createHash('sha256')
    .update(JSON.stringify([alg, kid]))
    .digest('base64url');
}

/** Grants `size` at once, and one more every `everyMs`. */
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
