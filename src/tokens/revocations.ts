// The sessions that ended lately, in memory: what makes a verified token worthless without asking the store.

export interface RevocationList {
  add(sessionId: string, revokedAt: Date): void;
  has(sessionId: string): boolean;
  /** Calls `ended` once, when the session is added, at once where it has been; returns what stops the watch. */
  watch(sessionId: string, ended: () => void): () => void;
  /** Sessions revoked before this instant have no valid token left. */
  since(): Date;
  readonly size: number;
}

/**
 * Remembers each ended session for as long as an access token issued before its end can still be valid.
 * @param accessTtlSeconds the longest lifetime of an access token
 */
export function createRevocationList(accessTtlSeconds: number, now: () => Date): RevocationList {
  const forgetAt = new Map<string, number>();
  const watching = new Map<string, Set<() => void>>();
  const MARGIN_MS = 5_000; // clocks of instances differ

  function dropStale(): void {
    const time = now().getTime();
    // Entries are nearly in the order of their end, so the stale ones are in front.
    for (const [sessionId, at] of forgetAt) {
      if (at > time) break;
      forgetAt.delete(sessionId);
    }
  }

  return {
    add(sessionId, revokedAt) {
      dropStale();
      forgetAt.set(sessionId, revokedAt.getTime() + accessTtlSeconds * 1000 + MARGIN_MS);
      const watchers = watching.get(sessionId);
      watching.delete(sessionId);
      for (const ended of watchers ?? []) ended();
    },
    has: (sessionId) => forgetAt.has(sessionId),
    watch(sessionId, ended) {
      if (forgetAt.has(sessionId)) {
        ended();
        return () => {};
      }
      const watchers = watching.get(sessionId) ?? new Set();
      watching.set(sessionId, watchers.add(ended));
      return () => {
        watchers.delete(ended);
        if (watchers.size === 0 && watching.get(sessionId) === watchers) watching.delete(sessionId);
      };
    },
    since: () => new Date(now().getTime() - accessTtlSeconds * 1000 - MARGIN_MS),
    get size() {
      return forgetAt.size;
    },
  };
}
