// Engine of the store on PostgreSQL.
import { Kysely } from 'kysely';
import { ConfigError } from '../../errors.ts';
import type { Engine, StoreOptions } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { createOutageDetector } from '../outage.ts';
import type { Database } from '../tables.ts';
import { type PostgresOptions, postgresDialect } from './dialect.ts';
import { classifyPostgresError, connectionIssue, isConnectionRejected } from './errors.ts';
import { createPostgresFeed } from './feed.ts';

/**
 * Migrates the database and opens it.
 *
 * @param url a libpq connection URI, `postgres://…`; the database must exist, and the user must own it
 * @throws {@link ConfigError} if PostgreSQL rejects the connection
 * @throws {@link AuthError} `STORE_UNAVAILABLE` if it cannot be reached
 */
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
  const interceptor = createOutageDetector(classifyPostgresError, log);
  // Without a statement timeout: a migration can take long, and so can waiting for that of another instance.
  const migrationDb = new Kysely<Database>({
    dialect: postgresDialect({ ...options, poolSize: 1, statementTimeoutMs: undefined }, interceptor),
  });
  try {
    await migrate(migrationDb, 'postgres');
  } catch (error) {
    throw isConnectionRejected(error) ? new ConfigError([connectionIssue(url, error)]) : error;
  } finally {
    await migrationDb.destroy();
  }
  const db = new Kysely<Database>({ dialect: postgresDialect(options, interceptor) });
  return {
    db,
    reader: db,
    hasRowLocks: true,
    feed: createPostgresFeed(db, options, interceptor, log),
    close: () => db.destroy(),
  };
}
