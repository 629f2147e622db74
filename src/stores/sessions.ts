// The store's verbs for sessions.
import { judgeRefresh } from './judge-refresh.ts';
import { countLive, revokeWhere } from './revoke-sessions.ts';
import type { Rotation, Session, Store } from './store.ts';
import { type Connections, type Database, toSession, toUser } from './tables.ts';

const MAX_LISTED_SESSIONS = 100;

type SessionVerbs = Pick<
  Store,
  'createSession' | 'listLiveSessions' | 'rotateSession' | 'revokeSession' | 'revokeAllSessions'
>;

export function createSessionVerbs(
  { db, reader }: Connections,
  announce: (revoked: readonly Session[]) => void,
): SessionVerbs {
  async function end(
    now: Date,
    idleSeconds: number,
    narrow: Parameters<typeof revokeWhere>[2],
  ): Promise<number> {
    const ended = await db.transaction().execute((transaction) => revokeWhere(transaction, now, narrow));
    announce(ended);
    return countLive(ended, now, idleSeconds);
  }

  return {
    createSession: (session) =>
      db.transaction().execute(async (transaction) => {
        const user = await transaction
          .selectFrom('users')
          .select('id')
          .where('id', '=', session.userId)
          .where('disabled_at', 'is', null)
          .executeTakeFirst();
        if (user === undefined) return false;
        await transaction.insertInto('sessions').values(toRow(session)).execute();
        return true;
      }),

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
        .limit(MAX_LISTED_SESSIONS)
        .execute();
      return rows.map(toSession);
    },

    async rotateSession(request): Promise<Rotation> {
      const { rotation, revoked } = await db.transaction().execute(async (transaction) => {
        const { sessionId, generation, now } = request;
        const row = await transaction
          .selectFrom('sessions')
          .selectAll()
          .where('id', '=', sessionId)
          .executeTakeFirst();
        if (row === undefined) return { rotation: { outcome: 'UNKNOWN' as const }, revoked: [] };
        const judgement = judgeRefresh(toSession(row), request);
        if (judgement === 'REUSED') {
          const ended = await revokeWhere(transaction, now, (query) => query.where('id', '=', sessionId));
          return { rotation: { outcome: judgement }, revoked: ended };
        }
        if (judgement !== 'ROTATE' && judgement !== 'REPEAT') {
          return { rotation: { outcome: judgement }, revoked: [] };
        }
        const user = await transaction
          .selectFrom('users')
          .selectAll()
          .where('id', '=', row.user_id)
          .executeTakeFirstOrThrow();
        if (judgement === 'REPEAT') {
          return {
            rotation: { outcome: 'REPEATED' as const, session: toSession(row), user: toUser(user) },
            revoked: [],
          };
        }
        const rotated = await transaction
          .updateTable('sessions')
          .set({ generation: generation + 1, last_used_at: now.getTime() })
          .where('id', '=', sessionId)
          .where('generation', '=', generation)
          .returningAll()
          .executeTakeFirstOrThrow();
        return {
          rotation: { outcome: 'ROTATED' as const, session: toSession(rotated), user: toUser(user) },
          revoked: [],
        };
      });
      announce(revoked);
      return rotation;
    },

    async revokeSession({ sessionId, userId }, now, idleSeconds) {
      const ended = await end(now, idleSeconds, (query) => {
        const one = query.where('id', '=', sessionId);
        return userId === undefined ? one : one.where('user_id', '=', userId);
      });
      return ended > 0;
    },

    revokeAllSessions: (userId, now, idleSeconds) =>
      end(now, idleSeconds, (query) => query.where('user_id', '=', userId)),
  };
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
