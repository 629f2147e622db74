// The store's database as an SQLite file.
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

/**
 * @param path of the file, made where it does not exist; `:memory:` is gone when it closes
 * @throws ConfigError if the path cannot be a database
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
      // A connection of its own: a write that waits for another process's holds up no reads.
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
    locksRows: false,
    feed: createSqliteFeed(reader, readOnly),
    async close() {
      if (reader !== db) await reader.destroy();
      await db.destroy();
    },
  };
}

/** SQLite's result codes for a file that is not a database, and for one that cannot be opened or written (rescode.html). */
const SQLITE_ISSUES: Readonly<Record<number, string>> = {
  8: 'the file is read-only for this user',
  14: 'the file cannot be opened',
  26: 'the file is not an SQLite database',
};

/** @returns undefined if the path is not the mistake */
function toConfigError(error: unknown): ConfigError | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown }; // node:sqlite's errors have one
  const issue = typeof errcode === 'number' ? SQLITE_ISSUES[errcode & 0xff] : undefined;
  if (issue === undefined && !isFileError(error)) return undefined;
  return new ConfigError([
    `DATABASE_URL: must name an SQLite database: ${issue ?? describeFileError(error, 'the file cannot be created')}`,
  ]);
}
