// node:sqlite under Kysely's SQLite dialect.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Dialect, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { LRUCache } from 'lru-cache';

const BUSY_TIMEOUT_MS = 5_000;
const MAX_PREPARED_STATEMENTS = 200;

/** Opens the file, making it and its folder where they are missing; `:memory:` is a database that is gone at close. */
export function openSqlite(path: string): DatabaseSync {
  // The database holds password hashes: nobody else on the machine may read it.
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  // FULL, not NORMAL: what has been acknowledged survives not only a killed process but a power cut.
  sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return sqlite;
}

export function sqliteDialect(sqlite: DatabaseSync): Dialect {
  const prepared = new LRUCache<string, SqliteStatement>({ max: MAX_PREPARED_STATEMENTS });
  const database: SqliteDatabase = {
    close: () => sqlite.close(),
    prepare(sql) {
      // A transaction that reads before it writes must take the write lock first, or it fails when another process
      // has written in between.
      const text = sql === 'begin' ? 'begin immediate' : sql;
      const statement = prepared.get(text) ?? adaptStatement(sqlite.prepare(text));
      prepared.set(text, statement);
      return statement;
    },
  };
  return new SqliteDialect({ database });
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  // Kysely hands over what the queries bind: strings, numbers and nulls here.
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}
