// The store's database on a PostgreSQL server.
import { Kysely } from 'kysely';
import { createAvailability } from './availability.ts';
import type { Engine, StoreOptions } from './database.ts';
import { migrate } from './migrate.ts';
import { judgePostgresFault, type PostgresOptions, postgresDialect } from './postgres.ts';
import { createPostgresFeed } from './postgres-feed.ts';
import type { Database } from './tables.ts';

/** @param url `postgres://…`, as libpq's URLs are; the database must exist, and the user own it */
export async function openPostgresEngine(
  url: string,
  {
    log,
    poolSize = 10,
    statementTimeoutSeconds = 5,
    connectTimeoutSeconds = 2,
  }: StoreOptions & Required<Pick<StoreOptions, 'log'>>,
): Promise<Engine> {
  const options: PostgresOptions = {
    url,
    poolSize,
    statementTimeoutMs: statementTimeoutSeconds * 1000,
    connectTimeoutMs: connectTimeoutSeconds * 1000,
  };
  const around = createAvailability(judgePostgresFault, log);
  // A migration may take long, and so may waiting for another instance's.
  const owner = new Kysely<Database>({
    dialect: postgresDialect({ ...options, poolSize: 1, statementTimeoutMs: undefined }, around),
  });
  try {
    await migrate(owner, 'postgres');
  } finally {
    await owner.destroy();
  }
  const db = new Kysely<Database>({ dialect: postgresDialect(options, around) });
  return {
    db,
    reader: db,
    locksRows: true,
    feed: createPostgresFeed(db, options, around, log),
    close: () => db.destroy(),
  };
}
