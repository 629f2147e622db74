// Migrates a database to the newest schema.
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { DatabaseKind } from './engine.ts';
import * as accounts from './migrations/2026-11-22-accounts.ts';
import * as changes from './migrations/2026-11-22-changes.ts';
import * as knownNetworks from './migrations/2026-11-26-known-networks.ts';

/** In the order in which they run. Append only: databases record which ones they have run, by name. */
const MIGRATIONS: Readonly<Record<string, { up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> }>> = {
  '2026-11-22-accounts': accounts,
  '2026-11-22-changes': changes,
  '2026-11-26-known-networks': knownNetworks,
};

/** Runs the migrations that the database has not run yet. Safe at every start and from several instances at once. */
export async function migrate<T>(db: Kysely<T>, kind: DatabaseKind): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, { up }]) => [
      name,
      { up: (transaction: Kysely<unknown>) => up(transaction, kind) },
    ]),
  );
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
