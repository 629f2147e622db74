// What changed lately about a session or a user, in memory: what makes a verified token worthless without asking the store.

export interface ExpiringMap<V> {
  set(key: string, value: V): void;
  get(key: string): V | undefined;
  /** Calls `changed` at each change from now on, and at once where there has been one; returns what stops the watch. */
  watch(key: string, changed: (value: V) => void): () => void;
  /** Tokens from before have expired by now: what changed earlier matters to none. */
  since(): Date;
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
  const changes = new Map<string, { value: V; expiresAt: number }>();
  const watching = new Map<string, Set<(value: V) => void>>();
  let isSweepDue = false;

  function sweep(): void {
    isSweepDue = false;
    const time = now().getTime();
    // Entries are in the order in which they were heard of, so the old ones are in front.
    for (const [key, { expiresAt }] of changes) {
      if (expiresAt > time) break;
      changes.delete(key);
    }
    if (changes.size > 0) sweepLater();
  }

  function sweepLater(): void {
    if (isSweepDue) return;
    isSweepDue = true;
    setTimeout(sweep, SWEEP_MS).unref();
  }

  return {
    set(key, value) {
      changes.delete(key); // its place is behind the others
      // From now on, and not from when it was made by somebody else's clock.
      changes.set(key, { value, expiresAt: now().getTime() + lifetimeMs });
      sweepLater();
      for (const changed of [...(watching.get(key) ?? [])]) changed(value);
    },
    get: (key) => changes.get(key)?.value,
    watch(key, changed) {
      const watchers = watching.get(key) ?? new Set();
      watching.set(key, watchers.add(changed));
      const known = changes.get(key);
      if (known !== undefined) changed(known.value);
      return () => {
        watchers.delete(changed);
        if (watchers.size === 0 && watching.get(key) === watchers) watching.delete(key);
      };
    },
    since: () => new Date(now().getTime() - lifetimeMs),
    get size() {
      return changes.size;
    },
  };
}
