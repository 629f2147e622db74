// The store's database on a PostgreSQL server.
import { Kysely } from 'kysely';
import { ConfigError } from '../../errors.ts';
import type { Engine, StoreOptions } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { createOutageDetector } from '../outage.ts';
import type { Database } from '../tables.ts';
import { classifyPostgresError, type PostgresOptions, postgresDialect } from './dialect.ts';
import { createPostgresFeed } from './feed.ts';

/** Of the password, the database's name, or TLS: no matter of time. */
function isConnectionRejected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return Reflect.get(error, 'severity') === 'FATAL' || /does not support SSL|certificate/.test(error.message);
}

function connectionIssue(url: string, { message }: Error): string {
  return `DATABASE_URL: PostgreSQL at ${new URL(url).host} says: ${message}`;
}

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
  const interceptor = createOutageDetector(classifyPostgresError, log);
  // A migration may take long, and so may waiting for another instance's.
  const owner = new Kysely<Database>({
    dialect: postgresDialect({ ...options, poolSize: 1, statementTimeoutMs: undefined }, interceptor),
  });
  try {
    await migrate(owner, 'postgres');
  } catch (error) {
    throw isConnectionRejected(error) ? new ConfigError([connectionIssue(url, error)]) : error;
  } finally {
    await owner.destroy();
  }
  const db = new Kysely<Database>({ dialect: postgresDialect(options, interceptor) });
  return {
    db,
    reader: db,
    locksRows: true,
    feed: createPostgresFeed(db, options, interceptor, log),
    close: () => db.destroy(),
  };
}
