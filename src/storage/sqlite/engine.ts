// Engine of the store on an SQLite file.
import { Kysely } from 'kysely';
import { ConfigError } from '../../errors.ts';
import { describeFileError, isFileError } from '../../utils/file-errors.ts';
import type { Log } from '../../utils/log.ts';
import type { Engine } from '../engine.ts';
import { migrate } from '../migrate.ts';
import { createOutageDetector } from '../outage.ts';
import type { Database } from '../tables.ts';
import { classifySqliteError, openReadOnly, openSqlite, sqliteDialect, withWriteLock } from './dialect.ts';
import { createSqliteFeed } from './feed.ts';

/** SQLite's result codes for a path that cannot be used (sqlite.org/rescode.html). */
const SQLITE_ISSUES: Readonly<Record<number, string>> = {
  8: 'the file is read-only for this user',
  14: 'the file cannot be opened',
  26: 'the file is not an SQLite database',
};

/**
 * Opens the file, creates it if it does not exist, and migrates the database.
 *
 * @param path `:memory:` opens a database that is lost when it is closed
 * @throws {@link ConfigError} if the path is not a database and cannot become one
 */
export async function openSqliteEngine(path: string, log: Log): Promise<Engine> {
  const sqlite = await openSqlite(path).catch((error) => {
    throw toConfigError(error) ?? error;
  });
  const interceptor = createOutageDetector(classifySqliteError, log);
  const db = new Kysely<Database>({ dialect: sqliteDialect(sqlite, interceptor) });
  let reader = db;
  let readOnly = sqlite;
  try {
    await withWriteLock(sqlite, () => migrate(db, 'sqlite'));
    if (path !== ':memory:') {
      // A second connection, so that reads do not wait behind a write that waits for another process.
      readOnly = openReadOnly(path);
      reader = new Kysely<Database>({ dialect: sqliteDialect(readOnly, interceptor) });
    }
  } catch (error) {
    sqlite.close();
    throw error;
  }
  return {
    db,
    reader,
    hasRowLocks: false,
    feed: createSqliteFeed(reader, readOnly),
    async close() {
      if (reader !== db) await reader.destroy();
      await db.destroy();
    },
  };
}

/** @returns undefined if the error has another cause than the path */
function toConfigError(error: unknown): ConfigError | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown }; // errors of node:sqlite have one
  const issue = typeof errcode === 'number' ? SQLITE_ISSUES[errcode & 0xff] : undefined;
  if (issue === undefined && !isFileError(error)) return undefined;
  return new ConfigError([
    `DATABASE_URL: must name an SQLite database: ${issue ?? describeFileError(error, 'the file cannot be created')}`,
  ]);
}
