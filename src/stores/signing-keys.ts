// The store's verbs for signing keys.
import type { Kysely } from 'kysely';
import type { Store } from './store.ts';
import { type Database, toSigningKeyRow } from './tables.ts';

type SigningKeyVerbs = Pick<Store, 'listSigningKeys' | 'replaceCurrentSigningKey'>;

export function createSigningKeyVerbs(db: Kysely<Database>): SigningKeyVerbs {
  return {
    async listSigningKeys() {
      const rows = await db.selectFrom('signing_keys').selectAll().orderBy('created_at').execute();
      return rows.map(toSigningKeyRow);
    },

    replaceCurrentSigningKey: (key, now) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable('signing_keys')
          .set({ status: 'retired', retired_at: now.getTime() })
          .where('status', '=', 'current')
          .where('algorithm', '!=', key.algorithm)
          .execute();
        await transaction
          .insertInto('signing_keys')
          .values({
            kid: key.kid,
            algorithm: key.algorithm,
            status: 'current',
            public_jwk: JSON.stringify(key.publicJwk),
            sealed_private_jwk: key.sealedPrivateJwk,
            created_at: key.createdAt.getTime(),
            retired_at: null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }),
  };
}
