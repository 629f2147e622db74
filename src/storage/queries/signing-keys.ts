// Store methods for signing keys.
import { type DeleteQueryBuilder, type DeleteResult, type Insertable, type Kysely, sql } from 'kysely';
import { recordEvents } from '../feed/record.ts';
import type { SigningKeyRow, Store } from '../store.ts';
import { type Database, type QueryContext, toSigningKeyRow } from '../tables.ts';

type SigningKeyMethods = Pick<
  Store,
  | 'listSigningKeys'
  | 'addSigningKeys'
  | 'rotateSigningKeys'
  | 'revokeSigningKey'
  | 'revokeAllSigningKeys'
  | 'removeRetiredKeys'
>;

export function createSigningKeyQueries({ db, hasRowLocks, poll }: QueryContext): SigningKeyMethods {
  /** Runs a transaction that no other change of keys overlaps, so that the keys it reads stay as they are until it ends. */
  function changeKeys<T>(change: (transaction: Kysely<Database>) => Promise<T>): Promise<T> {
    return db.transaction().execute(async (transaction) => {
      if (hasRowLocks) await sql`lock table signing_keys in share row exclusive mode`.execute(transaction);
      return change(transaction);
    });
  }

  return {
    async listSigningKeys() {
      const rows = await db
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy('kid')
        .execute();
      return rows.map(toSigningKeyRow);
    },

    async addSigningKeys(keys, now) {
      await changeKeys(async (transaction) => {
        for (const key of keys) {
          await retireConflictingKey(transaction, key, now);
          const added = await transaction
            .insertInto('signing_keys')
            .values(toRow(key))
            .onConflict((conflict) => conflict.doNothing())
            .returning('kid')
            .executeTakeFirst();
          if (added !== undefined) await recordEvents(transaction, 'KEYS_CHANGED', [key.kid], now);
        }
      });
      poll();
    },

    async rotateSigningKeys(nextKid, replacement, now) {
      const rotated = await changeKeys(async (transaction) => {
        const next = await transaction
          .selectFrom('signing_keys')
          .select('kid')
          .where('kid', '=', nextKid)
          .where('status', '=', 'next')
          .executeTakeFirst();
        if (next === undefined) return false;
        await retireCurrent(transaction, now).execute();
        await transaction
          .updateTable('signing_keys')
          .set({ status: 'current', current_since: now.getTime() })
          .where('kid', '=', nextKid)
          .execute();
        await transaction.insertInto('signing_keys').values(toRow(replacement)).execute();
        await recordEvents(transaction, 'KEYS_CHANGED', [nextKid], now);
        return true;
      });
      poll();
      return rotated;
    },

    async revokeSigningKey(kid, replacement, now) {
      const status = await changeKeys(async (transaction) => {
        const [revoked] = await deleteKeys(transaction, now, (query) => query.where('kid', '=', kid));
        if (revoked === undefined || revoked.status === 'retired') return revoked?.status;
        if (revoked.status === 'current') {
          await transaction
            .updateTable('signing_keys')
            .set({ status: 'current', current_since: now.getTime() })
            .where('status', '=', 'next')
            .execute();
        }
        if (replacement !== undefined) {
          await transaction.insertInto('signing_keys').values(toRow(replacement)).execute();
        }
        return revoked.status;
      });
      if (status !== undefined) poll();
      return status;
    },

    async revokeAllSigningKeys(now) {
      const revoked = await changeKeys((transaction) => deleteKeys(transaction, now, (query) => query));
      if (revoked.length > 0) poll();
      return revoked.length;
    },

    async removeRetiredKeys(before, now) {
      const removed = await changeKeys((transaction) =>
        deleteKeys(transaction, now, (query) =>
          query.where('status', '=', 'retired').where('retired_at', '<', before.getTime()),
        ),
      );
      if (removed.length > 0) poll();
      return removed.length;
    },
  };
}

type DeleteKeys = DeleteQueryBuilder<Database, 'signing_keys', DeleteResult>;

/** Deletes the keys that `narrow` selects, and records an event for each. */
async function deleteKeys(
  transaction: Kysely<Database>,
  now: Date,
  narrow: (query: DeleteKeys) => DeleteKeys,
): Promise<Pick<SigningKeyRow, 'kid' | 'status'>[]> {
  const deleted = await narrow(transaction.deleteFrom('signing_keys')).returning(['kid', 'status']).execute();
  const kids = deleted.map(({ kid }) => kid);
  await recordEvents(transaction, 'KEYS_CHANGED', kids, now);
  return deleted;
}

/** Makes room for `key` if a key of another algorithm has its status: retires it if it is current, deletes it if it is next. */
async function retireConflictingKey(
  transaction: Kysely<Database>,
  { status, algorithm }: SigningKeyRow,
  now: Date,
): Promise<void> {
  if (status === 'current') {
    await retireCurrent(transaction, now).where('algorithm', '!=', algorithm).execute();
    return;
  }
  // Deleted, not retired: it has not signed any token.
  await transaction
    .deleteFrom('signing_keys')
    .where('status', '=', 'next')
    .where('algorithm', '!=', algorithm)
    .execute();
}

function retireCurrent(transaction: Kysely<Database>, now: Date) {
  return transaction
    .updateTable('signing_keys')
    .set({ status: 'retired', retired_at: now.getTime() })
    .where('status', '=', 'current');
}

function toRow(key: SigningKeyRow): Insertable<Database['signing_keys']> {
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    status: key.status,
    public_jwk: JSON.stringify(key.publicJwk),
    sealed_private_jwk: key.sealedPrivateJwk,
    created_at: key.createdAt.getTime(),
    current_since: key.currentSince?.getTime() ?? null,
    retired_at: key.retiredAt?.getTime() ?? null,
  };
}
