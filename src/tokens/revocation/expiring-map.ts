// What changed lately about a session or a user, in memory: what makes a verified token worthless without asking the store.

export interface ExpiringMap<V> {
  set(key: string, value: V): void;
  get(key: string): V | undefined;
  /** Calls `changed` at each change from now on, and at once where there has been one; returns what stops the watch. */
  watch(key: string, onChange: (value: V) => void): () => void;
  /** Tokens from before have expired by now: what changed earlier matters to none. */
  replayFrom(): Date;
  readonly size: number;
}

/** How far apart the clocks of two instances may be, and how late a change may reach one of them. */
export const MAX_CLOCK_DIFFERENCE_SECONDS = 60;
const SWEEP_MS = 10_000;

/**
 * Remembers each change for as long as an access token from before can still be valid.
 * @param accessTtlSeconds the longest lifetime of an access token
 */
export function createExpiringMap<V>(accessTtlSeconds: number, now: () => Date): ExpiringMap<V> {
  const lifetimeMs = (accessTtlSeconds + MAX_CLOCK_DIFFERENCE_SECONDS) * 1000;
  const entries = new Map<string, { value: V; expiresAt: number }>();
  const watchersByKey = new Map<string, Set<(value: V) => void>>();
  let isSweepDue = false;

  function sweep(): void {
    isSweepDue = false;
    const time = now().getTime();
    // Entries are in the order in which they were heard of, so the old ones are in front.
    for (const [key, { expiresAt }] of entries) {
      if (expiresAt > time) break;
      entries.delete(key);
    }
    if (entries.size > 0) sweepLater();
  }

  function sweepLater(): void {
    if (isSweepDue) return;
    isSweepDue = true;
    setTimeout(sweep, SWEEP_MS).unref();
  }

  return {
    set(key, value) {
      entries.delete(key); // its place is behind the others
      // From now on, and not from when it was made by somebody else's clock.
      entries.set(key, { value, expiresAt: now().getTime() + lifetimeMs });
      sweepLater();
      for (const onChange of [...(watchersByKey.get(key) ?? [])]) onChange(value);
    },
    get: (key) => entries.get(key)?.value,
    watch(key, onChange) {
      const watchers = watchersByKey.get(key) ?? new Set();
      watchersByKey.set(key, watchers.add(onChange));
      const existing = entries.get(key);
      if (existing !== undefined) onChange(existing.value);
      return () => {
        watchers.delete(onChange);
        if (watchers.size === 0 && watchersByKey.get(key) === watchers) watchersByKey.delete(key);
      };
    },
    replayFrom: () => new Date(now().getTime() - lifetimeMs),
    get size() {
      return entries.size;
    },
  };
}
