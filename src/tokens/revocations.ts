// The sessions that ended lately, in memory: what makes a verified token worthless without asking the store.

export interface RevocationList {
  add(sessionId: string, revokedAt: Date): void;
  has(sessionId: string): boolean;
  readonly size: number;
}

/**
 * Remembers each ended session for as long as an access token issued before its end can still be valid.
 * @param accessTtlSeconds the longest lifetime of an access token
 */
export function createRevocationList(accessTtlSeconds: number, now: () => Date): RevocationList {
  const forgetAt = new Map<string, number>();
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
    },
    has: (sessionId) => forgetAt.has(sessionId),
    get size() {
      return forgetAt.size;
    },
  };
}
