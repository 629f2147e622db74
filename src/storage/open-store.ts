// Opens the store that a URL names.
import type { Kysely } from 'kysely';
import { AuthError } from '../errors.ts';
import { type Log, silentLog } from '../utils/log.ts';
import type { ChangeFeed } from './feed/revocation-feed.ts';
import { createHousekeepingVerbs } from './queries/maintenance.ts';
import { createSessionVerbs } from './queries/sessions.ts';
import { createSigningKeyVerbs } from './queries/signing-keys.ts';
import { createUserVerbs } from './queries/users.ts';
import type { Store } from './store.ts';
import type { Connections, Database } from './tables.ts';

/** What one kind of database brings; the verbs are the same on all. */
export interface Engine {
  db: Kysely<Database>;
  reader: Kysely<Database>;
  locksRows: boolean;
  feed: ChangeFeed;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Default: silent. */
  log?: Log;
  /** PostgreSQL alone: how many connections, beside the one that listens. Default 10. */
  poolSize?: number;
  /** PostgreSQL alone: how long a statement may take. Default 5. */
  statementTimeoutSeconds?: number;
  /** PostgreSQL alone: how long to wait for a connection. Default 2. */
  connectTimeoutSeconds?: number;
}

/**
 * Opens the database, making it where it does not exist, and brings its schema up to date.
 * @param url `sqlite:` and a path, `sqlite::memory:`, or `postgres://…`
 * @throws AuthError `STORE_UNAVAILABLE` where the database cannot be reached
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const engine = await openEngine(url, options);
  const { db, reader, locksRows, feed } = engine;
  const connections: Connections = {
    db,
    reader,
    locksRows,
    announce(changes) {
      if (changes.length === 0) return;
      feed.tell(changes);
      feed.wake();
    },
    wake: () => feed.wake(),
    lastGap: () => feed.lastGap(),
  };
  return closeable(
    {
      ...createUserVerbs(connections),
      ...createSessionVerbs(connections),
      ...createSigningKeyVerbs(connections),
      ...createHousekeepingVerbs(connections),
      followChanges: feed.follow,
      async ping() {
        await reader.selectFrom('signing_keys').select('kid').limit(1).execute();
      },
    },
    { changesToldAt: feed.toldAt },
    async () => {
      await feed.stop();
      await engine.close();
    },
  );
}

/** Each kind of database is loaded when it is asked for. */
async function openEngine(url: string, options: StoreOptions): Promise<Engine> {
  const log = options.log ?? silentLog;
  if (url.startsWith('sqlite:')) {
    const { openSqliteEngine } = await import('./sqlite/engine.ts');
    return openSqliteEngine(url.slice('sqlite:'.length), log);
  }
  const { openPostgresEngine } = await import('./postgres/engine.ts');
  return openPostgresEngine(url, { ...options, log });
}

type Verbs = Omit<Store, 'changesToldAt' | 'close'>;

/** The verbs with a `close` that waits for those that have been called. */
function closeable(verbs: Verbs, rest: Pick<Store, 'changesToldAt'>, close: () => Promise<void>): Store {
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const counted = Object.entries(verbs).map(([name, verb]) => [
    name,
    (...args: unknown[]) => {
      if (closing !== undefined) return Promise.reject(new AuthError('STORE_UNAVAILABLE'));
      const done: Promise<unknown> = (verb as (...args: unknown[]) => Promise<unknown>)(...args); // all verbs are
      underWay.add(done);
      const forget = () => underWay.delete(done);
      done.then(forget, forget);
      return done;
    },
  ]);
  return {
    ...(Object.fromEntries(counted) as Verbs), // the same names and functions
    ...rest,
    close() {
      closing ??= Promise.allSettled(underWay).then(close);
      return closing;
    },
  };
}
