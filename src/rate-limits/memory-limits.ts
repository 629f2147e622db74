// Rate limits in the memory of one process.
import { AuthError } from '../errors.ts';
import { BUCKETS, type BucketName, type RateLimitOptions, resolveLimits } from './buckets.ts';
import type { RateLimits, Spend } from './rate-limits.ts';

/**
 * Maximum entries of one bucket: with five buckets and about 100 bytes an entry, 25 MB. Beyond it, the entries that have spent least
 * are evicted. An attacker can thereby reset a reached limit only with as many other entries that have spent as much, each at the cost
 * of a password hash (for `register.network`, of a network). Eviction never locks anyone out.
 */
export const MAX_ENTRIES = 50_000;
/** Entries that an eviction leaves, so that the next one is not due immediately. */
const CACHED_ENTRIES = 0.9 * MAX_ENTRIES;
/** Time that an entry stays after its bucket is full: a clock that is set back by less does not refill the bucket. */
const CLOCK_MARGIN_MS = 60_000;

/** One bucket: the theoretical arrival time (GCRA), in milliseconds, by key. A key without an entry has a full bucket. */
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
      name: name as BucketName, // resolveLimits returns these keys
      burst,
      intervalMs: intervalSeconds * 1000,
      arrivals: new Map(),
    }),
  );
  const byName = Object.fromEntries(tables.map((table) => [table.name, table])) as Record<BucketName, Table>; // every bucket has a table

  /** @returns the state of the buckets after the attempt. @throws AuthError `RATE_LIMITED` */
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

/** Subjects have a fixed length, so that a prefix of a key identifies its account. */
function toKey({ subject = ':', key }: Spend): string {
  return subject + key;
}

/** @returns the next arrival time, and the time to wait until the attempt is admitted, 0 if it is now */
function spendOne({ burst, intervalMs }: Table, arrival = 0, time: number) {
  const limit = time + burst * intervalMs;
  // An arrival more than a whole burst ahead means that the clock was set back: the bucket counts as empty, not as locked until then.
  const next = Math.min(Math.max(arrival, time), limit) + intervalMs;
  return { arrival: next, waitMs: Math.max(0, next - limit) };
}

function refund({ arrivals, intervalMs }: Table, key: string, time: number): void {
  const arrival = arrivals.get(key);
  if (arrival === undefined) return;
  if (arrival - intervalMs > time) arrivals.set(key, arrival - intervalMs);
  else arrivals.delete(key);
}

/** Removes entries of full buckets and, if that is not enough, those that have spent least. */
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
