// Rate limits: one row for each bucket, and the option `limits`, which replaces their values.

/** One rate limit: a bucket of attempts that refills over time. */
export interface BucketLimit {
  /** Attempts that a full bucket admits at once. */
  burst: number;
  /** Seconds until one more attempt is admitted. */
  intervalSeconds: number;
}

interface Bucket extends BucketLimit {
  /** Effect of a successful attempt on the buckets that it has spent. */
  onSuccess: 'delete' | 'keep' | 'refund';
}

export const BUCKETS = {
  /** All password checks, by the caller's network. */
  'login.network': { burst: 100, intervalSeconds: 5, onSuccess: 'refund' },
  /** Password checks of an account from a network that is known to it, by account and network. */
  'login.known': { burst: 20, intervalSeconds: 60, onSuccess: 'delete' },
  /** Password checks of an account from another network, by account and network. */
  'login.pair': { burst: 20, intervalSeconds: 60, onSuccess: 'delete' },
  /** Password checks of an account from all unknown networks together (NIST SP 800-63B-4, section 3.2.2). */
  'login.account': { burst: 100, intervalSeconds: 60 * 60, onSuccess: 'delete' },
  /** Registrations, by the caller's network. */
  'register.network': { burst: 30, intervalSeconds: 60, onSuccess: 'keep' },
} as const satisfies Record<BucketName, Bucket>;

/**
 * Name of a rate limit: `login.network` for all password checks of a network, `login.known` and `login.pair` for those of an account
 * from one network, `login.account` from all unknown networks, `register.network` for registrations.
 */
export type BucketName =
  | 'login.network'
  | 'login.known'
  | 'login.pair'
  | 'login.account'
  | 'register.network';

/**
 * Rate limits that differ from their defaults, by bucket.
 *
 * @example const limits: RateLimitOptions = { 'login.network': { burst: 1_000 } }
 */
export type RateLimitOptions = { readonly [Name in BucketName]?: Partial<BucketLimit> };

export type RateLimitValues = Readonly<Record<BucketName, Readonly<BucketLimit>>>;

const MAX_BURST = 1_000_000;
const INTERVAL_SECONDS = { least: 0.001, most: 365 * 24 * 60 * 60 };

/** @param options validated by `findLimitIssues` */
export function resolveLimits(options: RateLimitOptions): RateLimitValues {
  const names = Object.keys(BUCKETS) as BucketName[]; // keys of a literal
  const values = names.map((name) => {
    const { burst = BUCKETS[name].burst, intervalSeconds = BUCKETS[name].intervalSeconds } =
      options[name] ?? {};
    return [name, { burst, intervalSeconds }];
  });
  return Object.fromEntries(values) as RateLimitValues; // one for each name
}

/** @returns the issues of the option `limits`, without values */
export function findLimitIssues(options: unknown): string[] {
  if (!isRecord(options)) return ['must be an object of buckets'];
  return Object.entries(options).flatMap(([name, limit]) => {
    if (!Object.hasOwn(BUCKETS, name)) {
      return [`${name} is not a known bucket; known are ${Object.keys(BUCKETS).join(', ')}`];
    }
    if (limit === undefined) return [];
    if (!isRecord(limit)) return [`${name} must be an object with burst and intervalSeconds`];
    return Object.entries(limit).flatMap(([key, value]) => {
      if (value === undefined) return [];
      if (key === 'burst')
        return isBurst(value) ? [] : [`${name}.burst must be a whole number from 1 to ${MAX_BURST}`];
      if (key !== 'intervalSeconds')
        return [`${name}.${key} is not known; known are burst and intervalSeconds`];
      const { least, most } = INTERVAL_SECONDS;
      return isInterval(value) ? [] : [`${name}.intervalSeconds must be a number from ${least} to ${most}`];
    });
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBurst = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_BURST;
const isInterval = (value: unknown) =>
  typeof value === 'number' && value >= INTERVAL_SECONDS.least && value <= INTERVAL_SECONDS.most;
