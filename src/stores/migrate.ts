// Brings a database to the newest schema; safe to run at every start.
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import * as accounts from './migrations/2026-11-22-accounts.ts';

/** In the order in which they run; never changed once published, only added to. */
const MIGRATIONS: Record<string, Migration> = {
  '2026-11-22-accounts': accounts,
};

export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
