// Limits the number of sessions of one account when a session is created.
import type { Kysely } from 'kysely';
import type { Session } from '../../sessions/session.ts';
import type { Database } from '../tables.ts';
import { revokeWhere } from './revoke-sessions.ts';

/** Maximum number of live sessions of one account. A login beyond it revokes the least recently used session. */
export const MAX_LIVE_SESSIONS = 100;

/**
 * Maximum number of revoked or expired sessions of one account whose rows are kept, so that their refresh tokens still get
 * a specific error. Beyond it, those that ended first are deleted: an account that signs in constantly must not fill the
 * disk before the background job runs.
 */
const MAX_ENDED_SESSIONS = 100;

/** Larger than any number of rows: SQLite accepts an offset only together with a limit. */
const ALL_ROWS = 1_000_000_000;

/**
 * Applies both limits to the account of `created`.
 *
 * @param transaction the transaction that creates the session; its lock on the user's row makes the limits hold for
 *   concurrent logins
 * @returns the sessions that were revoked
 */
export async function limitSessions(transaction: Kysely<Database>, created: Session): Promise<Session[]> {
  const { id, userId, createdAt: now } = created;
  // Sessions that expired by being idle are counted as well: they are the least recently used, so they are revoked first.
  const revoked = await revokeWhere(transaction, now, (query) =>
    query.where('id', 'in', (select) =>
      select
        .selectFrom('sessions')
        .select('id')
        .where('user_id', '=', userId)
        .where('id', '!=', id)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .orderBy('last_used_at', 'desc')
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(ALL_ROWS)
        .offset(MAX_LIVE_SESSIONS - 1),
    ),
  );
  await transaction
    .deleteFrom('sessions')
    .where('id', 'in', (select) =>
      select
        .selectFrom('sessions')
        .select('id')
        .where('user_id', '=', userId)
        .where((where) =>
          where.or([where('revoked_at', 'is not', null), where('expires_at', '<=', now.getTime())]),
        )
        .orderBy((order) => order.fn.coalesce('revoked_at', 'expires_at'), 'desc')
        .orderBy('id')
        .limit(ALL_ROWS)
        .offset(MAX_ENDED_SESSIONS),
    )
    .execute();
  return revoked;
}
