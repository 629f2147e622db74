// How often a password may be guessed: failures are counted by account or address, before the password is looked at.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AuthError } from '../errors.ts';

/** Who tries what. */
export interface LoginTry {
  /** The email as compared, whether an account has it or not. */
  emailKey: string;
  /** The network address the try comes from, where it is known. */
  address: string | undefined;
}

/** A try that has been counted as a failure until it is known better; one of the two is called at most. */
export interface CountedTry {
  /** The password was right: the failures before it are forgiven, and the address is known from now on. */
  succeed(): void;
  /** The password was not looked at. */
  withdraw(): void;
}

export interface LoginTries {
  /** @throws AuthError `RATE_LIMITED` with the seconds until tries are looked at again */
  count(attempt: LoginTry): CountedTry;
}

/** No more than 100 failed tries in a row (NIST SP 800-63B, section 3.2.2), then an hour's rest. */
const MAX_FAILURES = 100;
const REST_MS = 60 * 60 * 1000;
/** The oldest are forgotten beyond this many; what stays counted has cost whoever brought it a password hash. */
const MAX_REMEMBERED = 100_000;

/**
 * Counts per process. An address that an account has signed in from is counted by itself: strangers who fail on purpose
 * lock out strangers, not the owner. Behind one proxy everybody has its address, so there they lock out the owner too.
 */
export function createLoginTries(now: () => Date = () => new Date()): LoginTries {
  const failures = new LRUCache<string, { count: number; until: number }>({ max: MAX_REMEMBERED });
  const knownAddresses = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  // A hash, so that memory holds neither addresses nor what somebody typed in place of one.
  const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  const bothKeys = ({ emailKey, address }: LoginTry) => ({
    account: hash(emailKey),
    atAddress: address === undefined ? undefined : hash(emailKey, address),
  });

  return {
    count(attempt) {
      const { account, atAddress } = bothKeys(attempt);
      const key = atAddress !== undefined && knownAddresses.has(atAddress) ? atAddress : account;
      const time = now().getTime();
      const known = failures.get(key);
      const count = known !== undefined && known.until > time ? known.count : 0;
      if (known !== undefined && count >= MAX_FAILURES) {
        throw new AuthError('RATE_LIMITED', { retryAfterSeconds: Math.ceil((known.until - time) / 1000) });
      }
      failures.set(key, { count: count + 1, until: time + REST_MS });
      return {
        succeed() {
          // Only what this try was counted under: the owner's sign-in gives strangers no more guesses.
          failures.delete(key);
          if (atAddress !== undefined) knownAddresses.set(atAddress, true);
        },
        withdraw() {
          const now = failures.get(key);
          if (now === undefined || now.count <= 1) failures.delete(key);
          else failures.set(key, { ...now, count: now.count - 1 });
        },
      };
    },
  };
}
