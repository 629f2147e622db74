// A PostgreSQL server for the tests of one file, with an empty database for each.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { StoreOptions } from '../../../src/storage/engine.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { type Postgres, startPostgres } from '../../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** What waits for an event; the event comes long before. */
export const LIMIT = { timeout: 50_000 };

export interface OnePostgres {
  readonly postgres: Postgres;
  /** Of the test's own database. */
  readonly url: string;
  /** Opens a store on it, closed after the test if not before. */
  open(options?: StoreOptions & { through?: TcpProxy }): Promise<Store>;
  /** Stands before the server; gone after the test. */
  startProxy(): Promise<TcpProxy>;
  /** Runs SQL on the test's database, on a connection of its own. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  whileStopped(use: () => Promise<void>): Promise<void>;
}

export function usePostgres(): OnePostgres {
  let postgres: Postgres;
  let url: string;
  let opened: { close(): Promise<void> }[];

  beforeAll(async () => {
    // Nobody cuts its power.
    postgres = await startPostgres(['-c', 'fsync=off']);
  });
  beforeEach(async () => {
    url = await postgres.createDatabase();
    opened = [];
    return async () => {
      // Stores before the proxies that they go through.
      for (const one of opened.toReversed()) await one.close();
    };
  });
  afterAll(() => postgres.remove());

  function closeLater<T extends { close(): Promise<void> }>(one: T): T {
    opened.push(one);
    return one;
  }

  return {
    get postgres() {
      return postgres;
    },
    get url() {
      return url;
    },
    open: async ({ through, ...options } = {}) =>
      closeLater(await openStore(through?.urlOf(url) ?? url, options)),
    startProxy: async () => closeLater(await startTcpProxy(Number(new URL(url).port))),
    query: (sql) => postgres.query(url, sql),
    async whileStopped(use) {
      await postgres.stop();
      try {
        await use();
      } finally {
        await postgres.start();
      }
    },
  };
}
