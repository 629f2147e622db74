// The store as the commands for accounts use it: opened by the configuration, closed when they are done.
import { type Config, loadConfig } from '../config.ts';
import { openStore } from '../stores/database.ts';
import type { Store } from '../stores/store.ts';
import type { Terminal } from './terminal.ts';

export async function withStore<T>(
  { env }: Terminal,
  use: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig(env);
  const store = await openStore(config.databaseUrl, config);
  try {
    return await use(store, config);
  } finally {
    await store.close();
  }
}
