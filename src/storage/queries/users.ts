// Store methods for users.
import type { UpdateQueryBuilder, UpdateResult } from 'kysely';
import { recordEvents } from '../feed/record.ts';
import { assertRolesFit } from '../roles.ts';
import type { RevokingChange, Store } from '../store.ts';
import { type Database, type QueryContext, toUser } from '../tables.ts';
import { countLive, revokeWhere, toFeedEvents } from './revoke-sessions.ts';

type UserMethods = Pick<
  Store,
  | 'createUser'
  | 'findUserByEmail'
  | 'findCredentials'
  | 'findUserById'
  | 'hasUsers'
  | 'listUsers'
  | 'updatePasswordHash'
  | 'disableUser'
  | 'setPasswordHash'
  | 'changeRoles'
>;

type UpdateUsers = UpdateQueryBuilder<Database, 'users', 'users', UpdateResult>;

export function createUserQueries({ db, reader, hasRowLocks, publish, poll }: QueryContext): UserMethods {
  /** Updates one user and revokes their sessions in one transaction. */
  async function updateAndRevokeSessions(
    now: Date,
    idleSeconds: number,
    update: (query: UpdateUsers) => UpdateUsers,
  ): Promise<RevokingChange | undefined> {
    const updated = await db.transaction().execute(async (transaction) => {
      const row = await update(transaction.updateTable('users')).returningAll().executeTakeFirst();
      if (row === undefined) return undefined;
      const revoked = await revokeWhere(transaction, now, (query) => query.where('user_id', '=', row.id));
      return { user: toUser(row), revoked };
    });
    if (updated === undefined) return undefined;
    publish(toFeedEvents(updated.revoked));
    return { user: updated.user, revokedSessions: countLive(updated.revoked, now, idleSeconds) };
  }

  return {
    async createUser({ id, email, emailKey, passwordHash, roles, createdAt }) {
      assertRolesFit(roles);
      const row = await db
        .insertInto('users')
        .values({
          id,
          email,
          email_key: emailKey,
          password_hash: passwordHash,
          roles: JSON.stringify(roles),
          created_at: createdAt.getTime(),
          disabled_at: null,
        })
        .onConflict((conflict) => conflict.column('email_key').doNothing())
        .returningAll()
        .executeTakeFirst();
      return row && toUser(row);
    },

    async findUserByEmail(emailKey) {
      const row = await reader
        .selectFrom('users')
        .selectAll()
        .where('email_key', '=', emailKey)
        .executeTakeFirst();
      return row && { user: toUser(row), passwordHash: row.password_hash };
    },

    async findCredentials(emailKey, network, knownSince) {
      const row = await reader
        .selectFrom('users')
        .leftJoin('known_networks', (join) =>
          join
            .onRef('known_networks.user_id', '=', 'users.id')
            .on('known_networks.network', '=', network ?? null)
            .on('known_networks.last_used_at', '>=', knownSince.getTime()),
        )
        .selectAll('users')
        .select('known_networks.last_used_at as known_at')
        .where('email_key', '=', emailKey)
        .executeTakeFirst();
      return (
        row && { user: toUser(row), passwordHash: row.password_hash, isKnownNetwork: row.known_at !== null }
      );
    },

    async findUserById(id) {
      const row = await reader.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toUser(row);
    },

    async hasUsers() {
      return (await reader.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
    },

    async listUsers() {
      const rows = await reader.selectFrom('users').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(toUser);
    },

    async updatePasswordHash(userId, previousHash, passwordHash) {
      await db
        .updateTable('users')
        .set({ password_hash: passwordHash })
        .where('id', '=', userId)
        .where('password_hash', '=', previousHash)
        .execute();
    },

    disableUser: (emailKey, now, idleSeconds) =>
      updateAndRevokeSessions(now, idleSeconds, (query) =>
        query
          .set((set) => ({ disabled_at: set.fn.coalesce('disabled_at', set.val(now.getTime())) }))
          .where('email_key', '=', emailKey),
      ),

    setPasswordHash: (emailKey, passwordHash, now, idleSeconds) =>
      updateAndRevokeSessions(now, idleSeconds, (query) =>
        query.set({ password_hash: passwordHash }).where('email_key', '=', emailKey),
      ),

    async changeRoles(emailKey, { add = [], remove = [] }, now) {
      const result = await db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('users')
          .selectAll()
          .where('email_key', '=', emailKey)
          .$if(hasRowLocks, (query) => query.forUpdate())
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const user = toUser(row);
        const roles = [...new Set([...user.roles, ...add])].filter((role) => !remove.includes(role));
        const changed = JSON.stringify(roles) !== JSON.stringify(user.roles);
        if (changed) {
          // Removing roles is always allowed, even if those that remain exceed the limits.
          if (roles.some((role) => !user.roles.includes(role))) assertRolesFit(roles);
          await transaction
            .updateTable('users')
            .set({ roles: JSON.stringify(roles) })
            .where('id', '=', user.id)
            .execute();
          await recordEvents(transaction, 'ROLES_CHANGED', [user.id], now);
        }
        return { user: { ...user, roles }, changed };
      });
      if (result?.changed) poll();
      return result;
    },
  };
}
