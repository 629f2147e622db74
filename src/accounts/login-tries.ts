// How often a password may be guessed: failures are counted by account, before the password is looked at.
import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AuthError } from '../errors.ts';

export interface LoginTries {
  /**
   * Counts a try; one that succeeds is taken back with `succeed`.
   * @throws AuthError `RATE_LIMITED` with the seconds until the next try counts
   */
  count(emailKey: string): Promise<void>;
  succeed(emailKey: string): Promise<void>;
}

/** No more than 100 failed tries in a row for one account (NIST SP 800-63B, section 3.2.2), then an hour's rest. */
const MAX_FAILURES = 100;
const WINDOW_SECONDS = 60 * 60;

/** Counts per process, by the email's key whether an account has it or not. */
export function createLoginTries(): LoginTries {
  const limiter = new RateLimiterMemory({
    points: MAX_FAILURES,
    duration: WINDOW_SECONDS,
    blockDuration: WINDOW_SECONDS,
  });
  // A hash, so that memory holds neither addresses nor what somebody typed in place of one.
  const keyOf = (emailKey: string) => createHash('sha256').update(emailKey).digest('base64url');
  return {
    async count(emailKey) {
      try {
        await limiter.consume(keyOf(emailKey));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new AuthError('RATE_LIMITED', { retryAfterSeconds: Math.ceil(error.msBeforeNext / 1000) });
      }
    },
    async succeed(emailKey) {
      await limiter.delete(keyOf(emailKey));
    },
  };
}
