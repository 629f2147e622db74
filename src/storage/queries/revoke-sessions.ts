// Revokes sessions and records the events. The only code that sets `revoked_at`.
import type { Kysely, UpdateQueryBuilder, UpdateResult } from 'kysely';
import { isLive, type Session } from '../../sessions/session.ts';
import { recordEvents } from '../feed/record.ts';
import type { FeedEvent } from '../store.ts';
import { type Database, toSession } from '../tables.ts';

type UpdateSessions = UpdateQueryBuilder<Database, 'sessions', 'sessions', UpdateResult>;

/**
 * Revokes the sessions that `narrow` selects and that are not revoked yet, and records an event for each.
 *
 * @param transaction the caller's transaction
 * @param narrow adds conditions to the statement
 * @returns the revoked sessions in their new state, including those that had expired
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

/** @returns the events of revoked sessions, to publish them once the transaction is committed */
export function toFeedEvents(revoked: readonly Session[]): FeedEvent[] {
  return revoked.flatMap(({ id: sessionId, revokedAt }) =>
    revokedAt === undefined ? [] : [{ kind: 'SESSION_REVOKED', sessionId, revokedAt }],
  );
}

/** @returns how many of the revoked sessions were live until they were revoked */
export function countLive(revoked: readonly Session[], now: Date, idleSeconds: number): number {
  return revoked.filter((session) => isLive({ ...session, revokedAt: undefined }, now, idleSeconds)).length;
}
