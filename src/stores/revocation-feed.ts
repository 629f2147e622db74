// Tells of sessions as they are revoked: by this process at once, by another one when it has written to the file.
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Revocation } from './store.ts';
import type { Database } from './tables.ts';

const POLL_MS = 200;
/** A process takes its time between reading the clock and committing; rows this much older are read once more. */
const OVERLAP_MS = 10_000;

type Listener = (revocation: Revocation) => void;

export function createRevocationFeed(db: Kysely<Database>, sqlite: DatabaseSync) {
  const listeners = new Set<Listener>();
  // Changes when another connection has committed to the file, and costs a read of shared memory.
  const versionQuery = sqlite.prepare('PRAGMA data_version');
  const readVersion = () => versionQuery.get()?.data_version;
  let seenVersion = readVersion();
  let readUpTo = Number.POSITIVE_INFINITY;
  let reading = false;

  async function tellSince(since: number, tell: Listener): Promise<void> {
    const rows = await db
      .selectFrom('sessions')
      .select(['id', 'revoked_at'])
      .where('revoked_at', '>=', since)
      .orderBy('revoked_at')
      .execute();
    for (const { id, revoked_at } of rows) {
      if (revoked_at === null) continue;
      readUpTo = Math.max(readUpTo, revoked_at);
      tell({ sessionId: id, revokedAt: new Date(revoked_at) });
    }
  }

  const announce = (revocations: readonly Revocation[]) => {
    for (const revocation of revocations) for (const listener of listeners) listener(revocation);
  };

  async function lookForOthers(): Promise<void> {
    if (reading || listeners.size === 0) return;
    const version = readVersion();
    if (version === seenVersion) return;
    reading = true;
    try {
      await tellSince(readUpTo - OVERLAP_MS, (revocation) => announce([revocation]));
      seenVersion = version;
    } finally {
      reading = false;
    }
  }

  // A failed look leaves `seenVersion` behind, so the next one reads again.
  const timer = setInterval(() => void lookForOthers().catch(() => {}), POLL_MS).unref();

  return {
    announce,
    async follow(listener: Listener, since: Date): Promise<void> {
      // Listening first: what is revoked while the past is read is told too.
      listeners.add(listener);
      readUpTo = Math.min(readUpTo, since.getTime());
      await tellSince(since.getTime(), listener);
    },
    stop: () => clearInterval(timer),
  };
}
