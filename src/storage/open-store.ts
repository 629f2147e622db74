// Opens the store on SQLite or PostgreSQL.
import { AuthError } from '../errors.ts';
import { silentLog } from '../utils/log.ts';
import type { Engine, StoreOptions } from './engine.ts';
import { createMaintenanceQueries } from './queries/maintenance.ts';
import { createSessionQueries } from './queries/sessions.ts';
import { createSigningKeyQueries } from './queries/signing-keys.ts';
import { createUserQueries } from './queries/users.ts';
import type { Store } from './store.ts';
import type { QueryContext } from './tables.ts';

/** Methods that `close` waits for. */
type StoreMethods = Omit<Store, 'feedSyncedAt' | 'close'>;

/**
 * Opens the database and migrates it to the newest schema. Creates the file of an SQLite database that does not exist.
 *
 * @param url `sqlite:` and a path, `sqlite::memory:`, or `postgres://…`
 * @throws {@link ConfigError} if the URL cannot work: a path that is not a database, rejected credentials, TLS
 * @throws {@link AuthError} `STORE_UNAVAILABLE` if the database cannot be reached
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const engine = await openEngine(url, options);
  const { db, reader, hasRowLocks, feed } = engine;
  const context: QueryContext = {
    db,
    reader,
    hasRowLocks,
    publish(events) {
      if (events.length === 0) return;
      feed.publish(events);
      feed.poll();
    },
    poll: () => feed.poll(),
    lastOutage: () => feed.lastOutage(),
  };
  const methods: StoreMethods = {
    ...createUserQueries(context),
    ...createSessionQueries(context),
    ...createSigningKeyQueries(context),
    ...createMaintenanceQueries(context),
    subscribe: feed.subscribe,
    async ping() {
      await reader.selectFrom('signing_keys').select('kid').limit(1).execute();
    },
  };
  return withDrain(methods, { feedSyncedAt: feed.syncedAt }, async () => {
    await feed.stop();
    await engine.close();
  });
}

/** Imports only the engine that the URL needs, so that neither database driver is loaded without use. */
async function openEngine(url: string, options: StoreOptions): Promise<Engine> {
  const log = options.log ?? silentLog;
  if (url.startsWith('sqlite:')) {
    const { openSqliteEngine } = await import('./sqlite/engine.ts');
    return openSqliteEngine(url.slice('sqlite:'.length), log);
  }
  const { openPostgresEngine } = await import('./postgres/engine.ts');
  return openPostgresEngine(url, { ...options, log });
}

/** Adds a `close` that waits for pending calls and makes later ones fail with `STORE_UNAVAILABLE`. */
function withDrain(
  methods: StoreMethods,
  rest: Pick<Store, 'feedSyncedAt'>,
  close: () => Promise<void>,
): Store {
  const pending = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const tracked = Object.entries(methods).map(([name, method]) => [
    name,
    (...args: unknown[]) => {
      if (closing !== undefined) return Promise.reject(new AuthError('STORE_UNAVAILABLE'));
      const call: Promise<unknown> = (method as (...args: unknown[]) => Promise<unknown>)(...args); // every method returns a promise
      pending.add(call);
      const settle = () => pending.delete(call);
      call.then(settle, settle);
      return call;
    },
  ]);
  return {
    ...(Object.fromEntries(tracked) as StoreMethods), // same names and signatures
    ...rest,
    close() {
      closing ??= Promise.allSettled(pending).then(close);
      return closing;
    },
  };
}
