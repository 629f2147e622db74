// Opens the configured store for a command, and closes it afterwards.
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/env.ts';
import { openStore } from '../storage/open-store.ts';
import type { Store } from '../storage/store.ts';
import { CommandError, type Terminal } from './terminal.ts';

export interface WithStoreOptions {
  /** Whether to create a missing SQLite file. @default false */
  creates?: boolean;
}

/**
 * @throws CommandError if there is no database yet
 * @throws ConfigError for an invalid configuration; AuthError `STORE_UNAVAILABLE`
 */
export async function withStore<T>(
  { env, program }: Terminal,
  use: (store: Store, config: Config) => Promise<T>,
  { creates = false }: WithStoreOptions = {},
): Promise<T> {
  const config = loadConfig(env);
  if (!creates && !hasStore(config)) {
    throw new CommandError(
      `There is no database at DATABASE_URL yet. Start the server to create it: ${program} serve`,
    );
  }
  const store = await openStore(config.databaseUrl, config);
  try {
    return await use(store, config);
  } finally {
    await store.close();
  }
}

/** @returns false if the configuration names an SQLite file that is missing or empty */
export function hasStore({ databaseUrl }: Pick<Config, 'databaseUrl'>): boolean {
  if (!databaseUrl.startsWith('sqlite:')) return true;
  const path = databaseUrl.slice('sqlite:'.length);
  return existsSync(path) && statSync(path).size > 0;
}
