// The store's database as an SQLite file.
import { Kysely } from 'kysely';
import type { Log } from '../log.ts';
import { createAvailability } from './availability.ts';
import type { Engine } from './database.ts';
import { migrate } from './migrate.ts';
import { inOneWrite, judgeSqliteFault, openReadOnly, openSqlite, sqliteDialect } from './sqlite.ts';
import { createSqliteFeed } from './sqlite-feed.ts';
import type { Database } from './tables.ts';

/** @param path of the file, made where it does not exist; `:memory:` is gone when it closes */
export async function openSqliteEngine(path: string, log: Log): Promise<Engine> {
  const sqlite = await openSqlite(path);
  const around = createAvailability(judgeSqliteFault, log);
  const db = new Kysely<Database>({ dialect: sqliteDialect(sqlite, around) });
  let reader = db;
  let readOnly = sqlite;
  try {
    await inOneWrite(sqlite, () => migrate(db, 'sqlite'));
    if (path !== ':memory:') {
      // A connection of its own: a write that waits for another process's holds up no reads.
      readOnly = openReadOnly(path);
      reader = new Kysely<Database>({ dialect: sqliteDialect(readOnly, around) });
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
