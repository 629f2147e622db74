// Revoking sessions, in one place for all who do.
import type { Kysely, UpdateQueryBuilder, UpdateResult } from 'kysely';
import { isLive, type Session } from '../../sessions/session.ts';
import { recordEvents } from '../feed/record.ts';
import type { FeedEvent } from '../store.ts';
import { type Database, toSession } from '../tables.ts';

type UpdateSessions = UpdateQueryBuilder<Database, 'sessions', 'sessions', UpdateResult>;

/**
 * Revokes those of the sessions that `narrow` leaves that are not revoked yet, and notes each for the other instances;
 * inside a transaction of the caller's.
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
  await recordEvents(
    transaction,
    'SESSION_REVOKED',
    rows.map(({ id }) => id),
    now,
  );
  return rows.map(toSession);
}

export function toFeedEvents(revoked: readonly Session[]): FeedEvent[] {
  return revoked.flatMap(({ id: sessionId, revokedAt }) =>
    revokedAt === undefined ? [] : [{ kind: 'SESSION_REVOKED', sessionId, revokedAt }],
  );
}

/** How many of the sessions just revoked were live until then. */
export function countLive(revoked: readonly Session[], now: Date, idleSeconds: number): number {
  return revoked.filter((session) => isLive({ ...session, revokedAt: undefined }, now, idleSeconds)).length;
}
