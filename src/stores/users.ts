// The store's verbs for accounts.
import { noteChanges } from './note-changes.ts';
import { countLive, revokeWhere, toChanges } from './revoke-sessions.ts';
import type { Store } from './store.ts';
import { type Connections, toUser } from './tables.ts';

type UserVerbs = Pick<
  Store,
  | 'createUser'
  | 'findUserByEmail'
  | 'findCredentials'
  | 'findUserById'
  | 'hasUsers'
  | 'listUsers'
  | 'updatePasswordHash'
  | 'disableUser'
  | 'changeRoles'
>;

export function createUserVerbs({ db, reader, locksRows, announce, wake }: Connections): UserVerbs {
  return {
    async createUser({ id, email, emailKey, passwordHash, roles, createdAt }) {
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

    async disableUser(emailKey, now, idleSeconds) {
      const disabled = await db.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable('users')
          .set((set) => ({ disabled_at: set.fn.coalesce('disabled_at', set.val(now.getTime())) }))
          .where('email_key', '=', emailKey)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const ended = await revokeWhere(transaction, now, (query) => query.where('user_id', '=', row.id));
        return { user: toUser(row), ended };
      });
      if (disabled === undefined) return undefined;
      announce(toChanges(disabled.ended));
      return { user: disabled.user, endedSessions: countLive(disabled.ended, now, idleSeconds) };
    },

    async changeRoles(emailKey, { add = [], remove = [] }, now) {
      const result = await db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('users')
          .selectAll()
          .where('email_key', '=', emailKey)
          .$if(locksRows, (query) => query.forUpdate())
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const user = toUser(row);
        const roles = [...new Set([...user.roles, ...add])].filter((role) => !remove.includes(role));
        const changed = JSON.stringify(roles) !== JSON.stringify(user.roles);
        if (changed) {
          await transaction
            .updateTable('users')
            .set({ roles: JSON.stringify(roles) })
            .where('id', '=', user.id)
            .execute();
          await noteChanges(transaction, 'ROLES_CHANGED', [user.id], now);
        }
        return { user: { ...user, roles }, changed };
      });
      if (result?.changed) wake();
      return result;
    },
  };
}
