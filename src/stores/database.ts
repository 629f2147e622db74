// Opens the store that a URL names.
import { Kysely } from 'kysely';
import { migrate } from './migrate.ts';
import { createRevocationFeed } from './revocation-feed.ts';
import { createSessionVerbs } from './sessions.ts';
import { createSigningKeyVerbs } from './signing-keys.ts';
import { inOneWrite, openSqlite, sqliteDialect } from './sqlite.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';
import { createUserVerbs } from './users.ts';

/**
 * Opens the database, making it where it does not exist, and brings its schema up to date.
 * @param url `sqlite:` and a path, or `sqlite::memory:`
 */
export async function openStore(url: string): Promise<Store> {
  const sqlite = openSqlite(url.replace(/^sqlite:/, ''));
  const db = new Kysely<Database>({ dialect: sqliteDialect(sqlite) });
  try {
    await inOneWrite(sqlite, () => migrate(db));
    sqlite.exec('PRAGMA busy_timeout = 0');
  } catch (error) {
    sqlite.close();
    throw error;
  }
  const feed = createRevocationFeed(db, sqlite);

  return {
    ...createUserVerbs(db, feed.announce),
    ...createSessionVerbs(db, feed.announce),
    ...createSigningKeyVerbs(db),
    followRevocations: feed.follow,
    async ping() {
      await db.selectFrom('signing_keys').select('kid').limit(1).execute();
    },
    async close() {
      feed.stop();
      // The one connection comes free when those who had it before are done.
      await db.connection().execute(async () => {});
      await db.destroy();
    },
  };
}
