// Map whose entries expire when no access token from before the entry can be valid. Holds revoked sessions and changed roles.

export interface ExpiringMap<V> {
  set(key: string, value: V): void;
  get(key: string): V | undefined;
  /**
   * Calls `onChange` immediately if the key has a value, and whenever it is set.
   *
   * @returns a function that stops the watch
   */
  watch(key: string, onChange: (value: V) => void): () => void;
  /** @returns the earliest time whose events matter: every token from before has expired */
  replayFrom(): Date;
  readonly size: number;
}

/** Maximum difference between the clocks of two instances, plus the delay with which an event reaches one of them. */
export const MAX_CLOCK_DIFFERENCE_SECONDS = 60;
const SWEEP_MS = 10_000;

/**
 * Keeps each entry for as long as an access token from before can be valid.
 *
 * @param accessTtlSeconds maximum lifetime of an access token
 */
export function createExpiringMap<V>(accessTtlSeconds: number, now: () => Date): ExpiringMap<V> {
  const lifetimeMs = (accessTtlSeconds + MAX_CLOCK_DIFFERENCE_SECONDS) * 1000;
  const entries = new Map<string, { value: V; expiresAt: number }>();
  const watchersByKey = new Map<string, Set<(value: V) => void>>();
  let isSweepDue = false;

  function sweep(): void {
    isSweepDue = false;
    const time = now().getTime();
    // Entries are in the order of insertion, so that the oldest come first.
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
      entries.delete(key); // moves the key to the end
      // Counts from now, not from the time of the event, which the clock of another instance has measured.
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
