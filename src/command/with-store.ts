// The store as the commands for accounts use it: opened by the configuration, closed when they are done.
import { loadConfig } from '../config.ts';
import { openStore } from '../stores/database.ts';
import type { Store } from '../stores/store.ts';
import type { Terminal } from './terminal.ts';

export async function withStore<T>({ env }: Terminal, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(loadConfig(env).databaseUrl);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
