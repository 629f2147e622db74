import { AuthError } from '../errors.ts';
import { silentLog } from '../utils/log.ts';
import type { Engine, StoreOptions } from './engine.ts';
import { createMaintenanceQueries } from './queries/maintenance.ts';
import { createSessionQueries } from './queries/sessions.ts';
import { createSigningKeyQueries } from './queries/signing-keys.ts';
import { createUserQueries } from './queries/users.ts';
import type { Store } from './store.ts';
import type { QueryContext } from './tables.ts';

/**
 * Opens the database, making it where it does not exist, and brings its schema up to date.
 * @param url `sqlite:` and a path, `sqlite::memory:`, or `postgres://…`
 * @throws AuthError `STORE_UNAVAILABLE` where the database cannot be reached
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const engine = await openEngine(url, options);
  const { db, reader, locksRows, feed } = engine;
  const connections: QueryContext = {
    db,
    reader,
    hasRowLocks: locksRows,
    publish(changes) {
      if (changes.length === 0) return;
      feed.publish(changes);
      feed.poll();
    },
    poll: () => feed.poll(),
    lastOutage: () => feed.lastOutage(),
  };
  return withDrain(
    {
      ...createUserQueries(connections),
      ...createSessionQueries(connections),
      ...createSigningKeyQueries(connections),
      ...createMaintenanceQueries(connections),
      subscribe: feed.subscribe,
      async ping() {
        await reader.selectFrom('signing_keys').select('kid').limit(1).execute();
      },
    },
    { feedSyncedAt: feed.syncedAt },
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

type StoreMethods = Omit<Store, 'feedSyncedAt' | 'close'>;

/** The verbs with a `close` that waits for those that have been called. */
function withDrain(
  methods: StoreMethods,
  rest: Pick<Store, 'feedSyncedAt'>,
  close: () => Promise<void>,
): Store {
  const pending = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const counted = Object.entries(methods).map(([name, method]) => [
    name,
    (...args: unknown[]) => {
      if (closing !== undefined) return Promise.reject(new AuthError('STORE_UNAVAILABLE'));
      const done: Promise<unknown> = (method as (...args: unknown[]) => Promise<unknown>)(...args); // all verbs are
      pending.add(done);
      const forget = () => pending.delete(done);
      done.then(forget, forget);
      return done;
    },
  ]);
  return {
    ...(Object.fromEntries(counted) as StoreMethods), // the same names and functions
    ...rest,
    close() {
      closing ??= Promise.allSettled(pending).then(close);
      return closing;
    },
  };
}
