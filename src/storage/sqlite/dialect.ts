// Kysely's SQLite dialect on node:sqlite, with private files and writes that wait for other processes.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { type Dialect, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { ClassifyError } from '../outage.ts';
import { type Interceptor, wrapDriver } from '../wrap-driver.ts';
import { queueForConnection, withoutMutex } from './single-connection.ts';

/** Maximum time that a statement waits for the lock of another process. */
const BUSY_TIMEOUT_MS = 5_000;
const BUSY_RETRY_MS = 5;
/** Primary result codes (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const TRANSIENT_CODES: readonly number[] = [SQLITE_BUSY, SQLITE_LOCKED];
const OUTAGE_CODES: readonly number[] = [SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN];
const MAX_PREPARED_STATEMENTS = 200;

/** Not a static import: Node 20 lacks the module, and would fail to link before utils/node-version.ts reports the version. */
function loadSqlite() {
  return process.getBuiltinModule('node:sqlite');
}

/**
 * Opens a database file, and creates it and its folder if they do not exist.
 *
 * @param path `:memory:` opens a database that is lost when it is closed
 */
export async function openSqlite(path: string): Promise<DatabaseSync> {
  if (path !== ':memory:') {
    // Only for this user, since it contains password hashes. SQLite gives the same mode to the files it adds beside it.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  }
  const sqlite = new (loadSqlite().DatabaseSync)(path, { enableForeignKeyConstraints: true });
  // FULL: a committed transaction survives a power failure. With NORMAL it survives only a killed process.
  await createBusyRetry()(() => sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;'));
  return sqlite;
}

/** Opens a second connection to a file that `openSqlite` has created. */
export function openReadOnly(path: string): DatabaseSync {
  return new (loadSqlite().DatabaseSync)(path, { readOnly: true });
}

/** Runs `task` in one transaction, with the write lock from its beginning. */
export async function withWriteLock(sqlite: DatabaseSync, task: () => Promise<void>): Promise<void> {
  await createBusyRetry()(() => sqlite.exec('begin immediate'));
  try {
    await task();
    sqlite.exec('commit');
  } catch (error) {
    // SQLite may have rolled back by itself, as it does if the disk is full.
    if (sqlite.isTransaction) sqlite.exec('rollback');
    throw error;
  }
}

export function sqliteDialect(sqlite: DatabaseSync, interceptor: Interceptor): Dialect {
  const retryWhileBusy = createBusyRetry();
  const dialect = new SqliteDialect({ database: adaptDatabase(sqlite) });
  return {
    // A retry is safe: only a statement that takes the lock fails with SQLITE_BUSY, and it has changed nothing.
    createDriver: () =>
      queueForConnection(
        wrapDriver(dialect.createDriver(), (task) => interceptor(() => retryWhileBusy(task))),
      ),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => withoutMutex(dialect.createAdapter()),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

export const classifySqliteError: ClassifyError = (error) => {
  const code = resultCode(error);
  if (TRANSIENT_CODES.includes(code)) return 'transient';
  return OUTAGE_CODES.includes(code) ? 'outage' : 'other';
};

function adaptDatabase(sqlite: DatabaseSync): SqliteDatabase {
  const prepared = new LRUCache<string, SqliteStatement>({ max: MAX_PREPARED_STATEMENTS });
  return {
    close: () => sqlite.close(),
    prepare(sql) {
      // Takes the write lock at once. A transaction that reads before it writes would fail if another process writes
      // in between.
      const text = sql === 'begin' ? 'begin immediate' : sql;
      const statement = prepared.get(text) ?? adaptStatement(sqlite.prepare(text));
      prepared.set(text, statement);
      return statement;
    },
  };
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  // The queries bind only strings, numbers and null.
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}

/**
 * Creates a function that retries a task while another process holds a lock. SQLite's own busy timeout would block the
 * event loop, and does not cover the switch to WAL and its recovery. All tasks share one deadline: with one each, queued
 * tasks would add up their waiting times.
 */
function createBusyRetry() {
  let busySince: number | undefined;
  return async function retryWhileBusy<T>(task: () => T | Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await task();
        busySince = undefined;
        return result;
      } catch (error) {
        if (!isBusy(error)) throw error;
        busySince ??= performance.now();
        if (performance.now() - busySince > BUSY_TIMEOUT_MS) throw error;
        await wait(BUSY_RETRY_MS);
      }
    }
  };
}

function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** @returns the primary result code, which is the low byte; 0 if it is not an error of SQLite */
function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}
