// Store methods for sessions.
import type { Kysely, Selectable } from 'kysely';
import {
  decideRefresh,
  outageCompensationSeconds,
  type RefreshDecision,
  type RotationRequest,
} from '../../sessions/refresh-policy.ts';
import type { Session } from '../../sessions/session.ts';
import type { Rotation, Store } from '../store.ts';
import { type Database, type QueryContext, toSession, toUser } from '../tables.ts';
import { addKnownNetwork } from './known-networks.ts';
import { limitSessions, MAX_LIVE_SESSIONS } from './limit-sessions.ts';
import { countLive, revokeWhere, toFeedEvents } from './revoke-sessions.ts';

type SessionMethods = Pick<
  Store,
  | 'createSession'
  | 'listLiveSessions'
  | 'findSessionStatus'
  | 'rotateSession'
  | 'revokeSession'
  | 'revokeAllSessions'
>;

export function createSessionQueries({
  db,
  reader,
  hasRowLocks,
  publish,
  lastOutage,
}: QueryContext): SessionMethods {
  return {
    async createSession(session, network) {
      const revoked = await db.transaction().execute(async (transaction) => {
        const user = await transaction
          .selectFrom('users')
          .select('id')
          .where('id', '=', session.userId)
          .where('disabled_at', 'is', null)
          // The lock keeps the account from being disabled in between, and makes concurrent logins of one account apply
          // the limits one after another.
          .$if(hasRowLocks, (query) => query.forNoKeyUpdate())
          .executeTakeFirst();
        if (user === undefined) return undefined;
        await transaction.insertInto('sessions').values(toRow(session)).execute();
        if (network !== undefined) {
          await addKnownNetwork(transaction, session.userId, network, session.createdAt);
        }
        return limitSessions(transaction, session);
      });
      if (revoked === undefined) return false;
      publish(toFeedEvents(revoked));
      return true;
    },

    async listLiveSessions(userId, now, idleSeconds) {
      const rows = await reader
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .where('last_used_at', '>', now.getTime() - idleSeconds * 1000)
        .orderBy('last_used_at', 'desc')
        .orderBy('id')
        .limit(MAX_LIVE_SESSIONS)
        .execute();
      return rows.map(toSession);
    },

    async findSessionStatus(sessionId) {
      const row = await reader
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(['sessions.revoked_at', 'users.roles'])
        .where('sessions.id', '=', sessionId)
        .executeTakeFirst();
      return (
        row && {
          revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
          roles: JSON.parse(row.roles),
        }
      );
    },

    async rotateSession(request): Promise<Rotation> {
      const { rotation, revoked } = await db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('sessions')
          .selectAll()
          .where('id', '=', request.sessionId)
          .$if(hasRowLocks, (query) => query.forUpdate())
          .executeTakeFirst();
        if (row === undefined) return { rotation: { outcome: 'UNKNOWN' as const }, revoked: [] };
        const session = toSession(row);
        const graceSeconds = request.graceSeconds + outageCompensationSeconds(session, lastOutage());
        const decision = decideRefresh(session, { ...request, graceSeconds });
        return applyRefreshDecision(decision, row, request, transaction);
      });
      publish(toFeedEvents(revoked));
      return rotation;
    },

    async revokeSession({ sessionId, userId }, now, idleSeconds) {
      const revoked = await db.transaction().execute((transaction) =>
        revokeWhere(transaction, now, (query) => {
          const byId = query.where('id', '=', sessionId);
          return userId === undefined ? byId : byId.where('user_id', '=', userId);
        }),
      );
      publish(toFeedEvents(revoked));
      return countLive(revoked, now, idleSeconds) > 0;
    },

    async revokeAllSessions(userId, now, idleSeconds) {
      const revoked = await db.transaction().execute(async (transaction) => {
        // Two calls for one user could otherwise lock the same sessions in different orders, which is a deadlock.
        if (hasRowLocks) {
          await transaction.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute();
        }
        return revokeWhere(transaction, now, (query) => query.where('user_id', '=', userId));
      });
      publish(toFeedEvents(revoked));
      return countLive(revoked, now, idleSeconds);
    },
  };
}

/** Rotates or revokes the session, as decided. */
async function applyRefreshDecision(
  decision: RefreshDecision,
  row: Selectable<Database['sessions']>,
  { sessionId, generation, now }: RotationRequest,
  transaction: Kysely<Database>,
): Promise<{ rotation: Rotation; revoked: Session[] }> {
  if (decision === 'REUSED') {
    const revoked = await revokeWhere(transaction, now, (query) => query.where('id', '=', sessionId));
    return { rotation: { outcome: decision }, revoked };
  }
  if (decision !== 'ROTATE' && decision !== 'REPEAT') {
    return { rotation: { outcome: decision }, revoked: [] };
  }
  const userRow = await transaction
    .selectFrom('users')
    .selectAll()
    .where('id', '=', row.user_id)
    .executeTakeFirstOrThrow();
  const user = toUser(userRow);
  if (decision === 'REPEAT') {
    return { rotation: { outcome: 'REPEATED', session: toSession(row), user }, revoked: [] };
  }
  const rotated = await transaction
    .updateTable('sessions')
    .set({ generation: generation + 1, last_used_at: now.getTime() })
    .where('id', '=', sessionId)
    .where('generation', '=', generation)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { rotation: { outcome: 'ROTATED', session: toSession(rotated), user }, revoked: [] };
}

function toRow(session: Session): Database['sessions'] {
  return {
    id: session.id,
    user_id: session.userId,
    generation: session.generation,
    created_at: session.createdAt.getTime(),
    authenticated_at: session.authenticatedAt.getTime(),
    last_used_at: session.lastUsedAt.getTime(),
    expires_at: session.expiresAt.getTime(),
    revoked_at: session.revokedAt?.getTime() ?? null,
    user_agent: session.userAgent ?? null,
    ip_address: session.ipAddress ?? null,
  };
}
