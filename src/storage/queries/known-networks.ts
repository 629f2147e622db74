// Records the networks from which an account signs in.
import type { Kysely } from 'kysely';
import type { Database } from '../tables.ts';

/** Maximum number of known networks of one account. Beyond it, the least recently used one is removed. */
const MAX_KNOWN_NETWORKS = 20;

/**
 * Adds a network, or updates when it was last used, and applies the limit.
 *
 * @param transaction the transaction that creates the session; its lock on the user's row keeps the limit exact
 */
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
        // Never moves the time back, which an instance with a slow clock would do.
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
