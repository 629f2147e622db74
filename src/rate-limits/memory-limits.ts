// Rate limits counted in this process.
import { AuthError } from '../errors.ts';
import { BUCKETS, type BucketName, type RateLimitOptions, resolveLimits } from './buckets.ts';
import type { RateLimits, Spend } from './rate-limits.ts';

/**
 * Entries of one bucket; with five buckets and about 100 bytes an entry, 25 MB. If there are more, those are evicted
 * that have spent least: that frees no one who has reached a limit, unless as many others have spent as much, each of
 * them at the cost of a password hash (or, for `register.network`, of a network), and it never locks anyone out.
 */
export const MAX_ENTRIES = 50_000;
/** Entries left by an eviction, so that the next one is not due at once. */
const CACHED_ENTRIES = 0.9 * MAX_ENTRIES;
/** An entry is kept for a while after it has become full: a clock that is set back by less does not refill it. */
const CLOCK_MARGIN_MS = 60_000;

/** One bucket: the theoretical arrival time (GCRA), in milliseconds, by key. No entry: full. */
interface Table {
  name: BucketName;
  burst: number;
  intervalMs: number;
  arrivals: Map<string, number>;
}

export interface MemoryLimits extends RateLimits {
  /** Entries in memory. */
  readonly size: number;
}

export function createMemoryLimits({
  limits = {},
  now,
}: {
  limits?: RateLimitOptions;
  now: () => Date;
}): MemoryLimits {
  const tables = Object.entries(resolveLimits(limits)).map(
    ([name, { burst, intervalSeconds }]): Table => ({
      name: name as BucketName, // a key of its values
      burst,
      intervalMs: intervalSeconds * 1000,
      arrivals: new Map(),
    }),
  );
  const byName = Object.fromEntries(tables.map((table) => [table.name, table])) as Record<BucketName, Table>; // one of each

  /** What the buckets are after the attempt. @throws AuthError `RATE_LIMITED` */
  function admit(spends: readonly Spend[], time: number) {
    const admitted = spends.map((spend) => {
      const table = byName[spend.bucket];
      const key = toKey(spend);
      return { table, key, ...spendOne(table, table.arrivals.get(key), time) };
    });
    const waitMs = Math.max(0, ...admitted.map((one) => one.waitMs));
    if (waitMs > 0) throw new AuthError('RATE_LIMITED', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
    return admitted;
  }

  return {
    async spend(spends) {
      const time = now().getTime();
      const spent = admit(spends, time);
      for (const { table, key, arrival } of spent) {
        if (!table.arrivals.has(key)) evict(table, time);
        table.arrivals.set(key, arrival);
      }
      let isSettled = false;
      const settle = async (actionOf: (name: BucketName) => 'delete' | 'keep' | 'refund') => {
        if (isSettled) return;
        isSettled = true;
        for (const { table, key } of spent) {
          const action = actionOf(table.name);
          if (action === 'delete') table.arrivals.delete(key);
          if (action === 'refund') refund(table, key, now().getTime());
        }
      };
      return {
        succeed: () => settle((name) => BUCKETS[name].onSuccess),
        cancel: () => settle(() => 'refund'),
      };
    },
    async check(spends) {
      admit(spends, now().getTime());
    },
    async clear(subject) {
      for (const { arrivals } of tables) {
        for (const key of arrivals.keys()) if (key.startsWith(subject)) arrivals.delete(key);
      }
    },
    get size() {
      return tables.reduce((sum, { arrivals }) => sum + arrivals.size, 0);
    },
  };
}

/** Subjects are of one length, and keys that begin with one belong to it. */
function toKey({ subject = ':', key }: Spend): string {
  return subject + key;
}

/** @returns the next arrival time, and how long to wait until it is admitted; 0 at once */
function spendOne({ burst, intervalMs }: Table, arrival = 0, time: number) {
  const limit = time + burst * intervalMs;
  // More than a whole burst ahead is the future of a clock that was set back: the bucket is empty, not locked until then.
  const next = Math.min(Math.max(arrival, time), limit) + intervalMs;
  return { arrival: next, waitMs: Math.max(0, next - limit) };
}

function refund({ arrivals, intervalMs }: Table, key: string, time: number): void {
  const arrival = arrivals.get(key);
  if (arrival === undefined) return;
  if (arrival - intervalMs > time) arrivals.set(key, arrival - intervalMs);
  else arrivals.delete(key);
}

/** Removes what is full, and if that is not enough what has spent least. */
function evict({ arrivals }: Table, time: number): void {
  if (arrivals.size < MAX_ENTRIES) return;
  for (const [key, arrival] of arrivals) if (arrival < time - CLOCK_MARGIN_MS) arrivals.delete(key);
  if (arrivals.size <= CACHED_ENTRIES) return;
  const sorted = Float64Array.from(arrivals.values()).sort();
  const last = sorted[arrivals.size - CACHED_ENTRIES - 1] ?? 0;
  for (const [key, arrival] of arrivals) {
    if (arrivals.size <= CACHED_ENTRIES) return;
    if (arrival <= last) arrivals.delete(key);
  }
}
