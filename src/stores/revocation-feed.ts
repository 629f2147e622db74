// Tells of sessions as they are revoked: by this process at once, by another one when it has written to the file.
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Revocation, Session } from './store.ts';
import type { Database } from './tables.ts';

const POLL_MS = 200;

type Listener = (revocation: Revocation) => void;

export function createRevocationFeed(db: Kysely<Database>, sqlite: DatabaseSync) {
  const listeners = new Set<Listener>();
  // Changes when another connection has committed to the file, and costs a read of shared memory.
  const versionQuery = sqlite.prepare('PRAGMA data_version');
  const readVersion = () => versionQuery.get()?.data_version;
  let seenVersion: unknown;
  /** The last revocation told; SQLite has one writer at a time, so their numbers follow their commits. */
  let lastId = 0;
  let reading: Promise<void> = Promise.resolve();

  const tell = (revocation: Revocation) => {
    for (const listener of listeners) listener(revocation);
  };

  async function tellNew(): Promise<void> {
    if (listeners.size === 0) return;
    const version = readVersion();
    if (version === seenVersion) return;
    const rows = await db
      .selectFrom('revocations')
      .selectAll()
      .where('id', '>', lastId)
      .orderBy('id')
      .execute();
    for (const row of rows) {
      tell({ sessionId: row.session_id, revokedAt: new Date(row.revoked_at) });
      lastId = row.id;
    }
    seenVersion = version;
  }

  /** Where a first listener starts; those who come later are told the past by themselves, and the rest with the others. */
  async function findNewestId(): Promise<number> {
    const newest = await db
      .selectFrom('revocations')
      .select((select) => select.fn.max('id').as('id'))
      .executeTakeFirst();
    return newest?.id ?? 0;
  }

  // A look that fails leaves `seenVersion` behind, so the next one reads again.
  const timer = setInterval(() => {
    reading = reading.then(tellNew).catch(() => {});
  }, POLL_MS).unref();

  return {
    announce(revoked: readonly Session[]): void {
      for (const { id, revokedAt } of revoked) {
        if (revokedAt !== undefined) tell({ sessionId: id, revokedAt });
      }
    },
    async follow(listener: Listener, since: Date): Promise<void> {
      // Listening first: what is revoked while the past is read is told too.
      listeners.add(listener);
      if (listeners.size === 1) lastId = Math.max(lastId, await findNewestId());
      const past = await db
        .selectFrom('revocations')
        .selectAll()
        .where('revoked_at', '>=', since.getTime())
        .execute();
      for (const row of past) listener({ sessionId: row.session_id, revokedAt: new Date(row.revoked_at) });
    },
    stop(): void {
      clearInterval(timer);
    },
  };
}
