// Opens the store that a URL names.
import { Kysely } from 'kysely';
import { migrate } from './migrate.ts';
import { createRevocationFeed } from './revocation-feed.ts';
import { createSessionVerbs } from './sessions.ts';
import { createSigningKeyVerbs } from './signing-keys.ts';
import { inOneWrite, openReadOnly, openSqlite, sqliteDialect } from './sqlite.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';
import { createUserVerbs } from './users.ts';

/**
 * Opens the database, making it where it does not exist, and brings its schema up to date.
 * @param url `sqlite:` and a path, or `sqlite::memory:`
 */
export async function openStore(url: string): Promise<Store> {
  const path = url.replace(/^sqlite:/, '');
  const sqlite = await openSqlite(path);
  const db = new Kysely<Database>({ dialect: sqliteDialect(sqlite) });
  let reader = db;
  try {
    await inOneWrite(sqlite, () => migrate(db));
    // A connection of its own: a write that waits for another process's holds up no reads.
    if (path !== ':memory:') reader = new Kysely<Database>({ dialect: sqliteDialect(openReadOnly(path)) });
  } catch (error) {
    sqlite.close();
    throw error;
  }
  const feed = createRevocationFeed(reader, sqlite);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    feed.stop();
    // The one connection comes free when those who had it before are done.
    await db.connection().execute(async () => {});
    if (reader !== db) {
      await reader.connection().execute(async () => {});
      await reader.destroy();
    }
    await db.destroy();
  }

  return {
    ...createUserVerbs({ db, reader }, feed.announce),
    ...createSessionVerbs({ db, reader }, feed.announce),
    ...createSigningKeyVerbs(db),
    followRevocations: feed.follow,
    async ping() {
      await reader.selectFrom('signing_keys').select('kid').limit(1).execute();
    },
    close: () => (closing ??= close()),
  };
}
