// Revoking sessions, in one place for all who do.
import type { Kysely, UpdateQueryBuilder, UpdateResult } from 'kysely';
import { isLive } from './judge-refresh.ts';
import type { Session } from './store.ts';
import { type Database, toSession } from './tables.ts';

type UpdateSessions = UpdateQueryBuilder<Database, 'sessions', 'sessions', UpdateResult>;

/**
 * Revokes those of the sessions that `narrow` leaves that are not revoked yet, and notes each for the feed; inside a
 * transaction of the caller's.
 * @returns the sessions as they are now, with those that had expired before
 */
export async function revokeWhere(
  transaction: Kysely<Database>,
  now: Date,
  narrow: (query: UpdateSessions) => UpdateSessions,
): Promise<Session[]> {
  const revoke = transaction
    .updateTable('sessions')
    .set({ revoked_at: now.getTime() })
    .where('revoked_at', 'is', null);
  const rows = await narrow(revoke).returningAll().execute();
  for (const { id } of rows) {
    await transaction
      .insertInto('revocations')
      .values({ session_id: id, revoked_at: now.getTime() })
      .execute();
  }
  return rows.map(toSession);
}

/** How many of the sessions just revoked were live until then. */
export function countLive(revoked: readonly Session[], now: Date, idleSeconds: number): number {
  return revoked.filter((session) => isLive({ ...session, revokedAt: undefined }, now, idleSeconds)).length;
}
