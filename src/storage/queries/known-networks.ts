// Networks that an account has signed in from: rows that a sign-in adds, refreshes and limits.
import type { Kysely } from 'kysely';
import type { Database } from '../tables.ts';

/** Networks kept of one account; the one that was used longest ago is forgotten first. */
export const MAX_KNOWN_NETWORKS = 20;

/** Inside the transaction that creates the session, which holds a lock on the user's row. */
export async function addKnownNetwork(
  transaction: Kysely<Database>,
  userId: string,
  network: string,
  now: Date,
): Promise<void> {
  const last_used_at = now.getTime();
  await transaction
    .insertInto('known_networks')
    .values({ user_id: userId, network, last_used_at })
    .onConflict((conflict) =>
      conflict
        .columns(['user_id', 'network'])
        .doUpdateSet({ last_used_at })
        // An instance whose clock is behind does not make it older.
        .where('known_networks.last_used_at', '<', last_used_at),
    )
    .execute();
  await transaction
    .deleteFrom('known_networks')
    .where('user_id', '=', userId)
    .where('network', 'in', (select) =>
      select
        .selectFrom('known_networks')
        .select('network')
        .where('user_id', '=', userId)
        .where('network', '!=', network)
        .orderBy('last_used_at', 'desc')
        .orderBy('network')
        .limit(Number.MAX_SAFE_INTEGER)
        .offset(MAX_KNOWN_NETWORKS - 1),
    )
    .execute();
}
