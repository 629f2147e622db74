// The port of rate limits: what use cases spend, and what every implementation promises.
import type { BucketName } from './buckets.ts';

/** One unit of one bucket. */
export interface Spend {
  bucket: BucketName;
  /** Pseudonym of what the bucket counts by, beside the account. */
  key: string;
  /** Pseudonym of the account that the bucket belongs to; see `clear`. */
  subject?: string;
}

/** An attempt that has spent its buckets. The first call of one of the two counts, a second does nothing. */
export interface Attempt {
  /** Deletes or refunds, by bucket, what the attempt has spent. */
  succeed(): Promise<void>;
  /** Refunds everything: what the attempt was for has not been done. */
  cancel(): Promise<void>;
}

/**
 * Limits by the generic cell rate algorithm: a bucket admits `burst` attempts at once, and one more each interval. An
 * attempt that is rejected changes nothing, so repeated attempts do not prolong a rejection.
 */
export interface RateLimits {
  /**
   * Spends one of each bucket in one step, or nothing.
   *
   * @throws AuthError `RATE_LIMITED`, with the seconds until all of them admit one more
   */
  spend(spends: readonly Spend[]): Promise<Attempt>;
  /**
   * Spends nothing: rejects early what `spend` would reject, before work is done for it.
   *
   * @throws AuthError `RATE_LIMITED`
   */
  check(spends: readonly Spend[]): Promise<void>;
  /** Deletes all buckets of an account. */
  clear(subject: string): Promise<void>;
}
