// node:sqlite under Kysely's SQLite dialect.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { type Dialect, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { ClassifyError } from '../outage.ts';
import { type Interceptor, wrapDriver } from '../wrap-driver.ts';
import { queueForConnection, withoutMutex } from './single-connection.ts';

/** How long a write waits for another process's to end. */
const BUSY_TIMEOUT_MS = 5_000;
const BUSY_RETRY_MS = 5;
const SQLITE_BUSY = 5;
/** Locked by others (sqlite.org/rescode.html). */
const TRANSIENT_CODES: readonly number[] = [SQLITE_BUSY, 6];
/** Without permission, the disk at fault, full, or gone. */
const OUTAGES: readonly number[] = [8, 10, 13, 14];
const MAX_PREPARED_STATEMENTS = 200;

/** Not imported: Node 20, which does not have it, could not link the check of its version. */
function loadSqlite() {
  return process.getBuiltinModule('node:sqlite');
}

/** Opens the file, making it and its folder where they are missing; `:memory:` is a database that is gone at close. */
export async function openSqlite(path: string): Promise<DatabaseSync> {
  if (path !== ':memory:') {
    // It holds password hashes: nobody else on the machine may read it, nor the files that SQLite puts beside it.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  }
  const sqlite = new (loadSqlite().DatabaseSync)(path, { enableForeignKeyConstraints: true });
  // FULL, not NORMAL: what has been acknowledged survives not only a killed process but a power cut.
  await createBusyRetry()(() => sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;'));
  return sqlite;
}

/** A second connection to a file that `openSqlite` has made. */
export function openReadOnly(path: string): DatabaseSync {
  return new (loadSqlite().DatabaseSync)(path, { readOnly: true });
}

/** Runs the task with the write lock held: whole, or not at all. */
export async function withWriteLock(sqlite: DatabaseSync, task: () => Promise<void>): Promise<void> {
  await createBusyRetry()(() => sqlite.exec('begin immediate'));
  try {
    await task();
    sqlite.exec('commit');
  } catch (error) {
    // A full disk has rolled back already.
    if (sqlite.isTransaction) sqlite.exec('rollback');
    throw error;
  }
}

export function sqliteDialect(sqlite: DatabaseSync, interceptor: Interceptor): Dialect {
  const retryWhileBusy = createBusyRetry();
  const dialect = new SqliteDialect({ database: adaptDatabase(sqlite) });
  return {
    // Only what takes the lock meets it taken, and that has changed nothing yet.
    createDriver: () =>
      queueForConnection(
        wrapDriver(dialect.createDriver(), (task) => interceptor(() => retryWhileBusy(task))),
      ),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => withoutMutex(dialect.createAdapter()),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

function adaptDatabase(sqlite: DatabaseSync): SqliteDatabase {
  const prepared = new LRUCache<string, SqliteStatement>({ max: MAX_PREPARED_STATEMENTS });
  return {
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

/**
 * Makes what tries again while another process holds a lock, without holding up this one. SQLite's own waiting would, and
 * does not cover every moment: not the switch to WAL, nor its recovery. All who wait have one deadline: in line behind
 * each other they would wait that many times as long.
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

/** A lock that others hold for too long is momentary; a full disk, say, is an outage. */
export const classifySqliteError: ClassifyError = (error) => {
  const code = errorCode(error);
  if (TRANSIENT_CODES.includes(code)) return 'momentary';
  return OUTAGES.includes(code) ? 'outage' : 'fault';
};

function isBusy(error: unknown): boolean {
  return errorCode(error) === SQLITE_BUSY;
}

/** The low byte is the kind of error, the others say more of it. */
function errorCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}
