// Port of rate limits: the functions that every implementation provides.
import type { BucketName } from './buckets.ts';

/** Takes one unit from one bucket. */
export interface Spend {
  bucket: BucketName;
  /** Pseudonym of the network, or `''`; distinguishes the buckets of one account. */
  key: string;
  /** Pseudonym of the account that the bucket belongs to; see `clear`. */
  subject?: string;
}

/** An attempt that has spent its buckets. Only the first call of `succeed` or `cancel` has an effect. */
export interface Attempt {
  /** Deletes or refunds the spent units, depending on the bucket. */
  succeed(): Promise<void>;
  /** Refunds all spent units, if the attempt did not take place. */
  cancel(): Promise<void>;
}

/**
 * Limits with the generic cell rate algorithm: a bucket admits `burst` attempts at once, and one more in each interval. A rejected
 * attempt spends nothing, so that repeated attempts do not prolong the rejection.
 */
export interface RateLimits {
  /**
   * Atomically spends one unit of each bucket, or nothing.
   *
   * @throws AuthError `RATE_LIMITED`, with the seconds until all of them admit one more
   */
  spend(spends: readonly Spend[]): Promise<Attempt>;
  /**
   * Rejects what `spend` would reject, but spends nothing. Saves work for a rejected attempt.
   *
   * @throws AuthError `RATE_LIMITED`
   */
  check(spends: readonly Spend[]): Promise<void>;
  /** Deletes all buckets of an account. */
  clear(subject: string): Promise<void>;
}
