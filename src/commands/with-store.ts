// The store as the commands use it: opened by the configuration, closed when they are done.
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/env.ts';
import { openStore } from '../storage/open-store.ts';
import type { Store } from '../storage/store.ts';
import { CommandError, type Terminal } from './terminal.ts';

export interface WithStoreOptions {
  /** Whether an SQLite file is created if it is missing. @default false */
  creates?: boolean;
}

/** @throws CommandFailure if there is no database yet; ConfigError; AuthError `STORE_UNAVAILABLE` */
export async function withStore<T>(
  { env, program }: Terminal,
  use: (store: Store, config: Config) => Promise<T>,
  { creates = false }: WithStoreOptions = {},
): Promise<T> {
  const config = loadConfig(env);
  if (!creates && !hasStore(config)) {
    throw new CommandError(
      `There is no database yet at DATABASE_URL; the first start of the server creates it: ${program} serve`,
    );
  }
  const store = await openStore(config.databaseUrl, config);
  try {
    return await use(store, config);
  } finally {
    await store.close();
  }
}

/** Whether the database that the configuration names can exist: an SQLite file is there and not empty. */
export function hasStore({ databaseUrl }: Pick<Config, 'databaseUrl'>): boolean {
  if (!databaseUrl.startsWith('sqlite:')) return true;
  const path = databaseUrl.slice('sqlite:'.length);
  return existsSync(path) && statSync(path).size > 0;
}
