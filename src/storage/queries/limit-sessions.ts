// The limits to how many sessions one account has, applied when a session is created.
import type { Kysely } from 'kysely';
import type { Session } from '../../sessions/session.ts';
import type { Database } from '../tables.ts';
import { revokeWhere } from './revoke-sessions.ts';

/** Live sessions of one account. A sign-in beyond it revokes the session that was used least recently. */
export const MAX_LIVE_SESSIONS = 100;

/**
 * Ended sessions of one account whose rows are kept for the answer to their refresh tokens. Those that ended first are
 * deleted beyond it, so that an account that signs in all the time fills no disk until the background job runs.
 */
export const MAX_ENDED_SESSIONS = 100;

/** Larger than any number of rows: SQLite takes an offset only beside a limit. */
const ALL_ROWS = 1_000_000_000;

/**
 * Makes room for `created`, in its transaction and with the account's row locked, so that the limits hold however many
 * sign-ins there are at the same time.
 * @returns the sessions that were revoked
 */
export async function limitSessions(transaction: Kysely<Database>, created: Session): Promise<Session[]> {
  const { id, userId, createdAt: now } = created;
  // An idle session counts like a live one; being the least recently used, it is the first to go.
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
