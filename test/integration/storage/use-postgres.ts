// A PostgreSQL server for the tests of one file, with an empty database for each test.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { StoreOptions } from '../../../src/storage/engine.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { type Postgres, startPostgres } from '../../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** Timeout for events, far longer than they take. */
export const WAIT_OPTIONS = { timeout: 50_000 };

export interface TestPostgres {
  readonly postgres: Postgres;
  /** URL of the test's database. */
  readonly url: string;
  /** Opens a store, which is closed after the test at the latest. @param options `through`: connect by way of this proxy */
  open(options?: StoreOptions & { through?: TcpProxy }): Promise<Store>;
  /** Starts a proxy in front of the server, which is closed after the test. */
  startProxy(): Promise<TcpProxy>;
  /** Runs SQL on the test's database, on a separate connection. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Stops the server, runs the function, and starts the server again. */
  whileStopped(run: () => Promise<void>): Promise<void>;
}

export function usePostgres(): TestPostgres {
  let postgres: Postgres;
  let url: string;
  let opened: { close(): Promise<void> }[];

  beforeAll(async () => {
    // Faster without fsync; no test simulates a power failure.
    postgres = await startPostgres(['-c', 'fsync=off']);
  });
  beforeEach(async () => {
    url = await postgres.createDatabase();
    opened = [];
    return async () => {
      // In reverse, so that stores close before the proxies they use.
      for (const resource of opened.toReversed()) await resource.close();
    };
  });
  afterAll(() => postgres.remove());

  function closeLater<T extends { close(): Promise<void> }>(resource: T): T {
    opened.push(resource);
    return resource;
  }

  return {
    get postgres() {
      return postgres;
    },
    get url() {
      return url;
    },
    open: async ({ through, ...options } = {}) =>
      closeLater(await openStore(through?.toProxyUrl(url) ?? url, options)),
    startProxy: async () => closeLater(await startTcpProxy(Number(new URL(url).port))),
    query: (sql) => postgres.query(url, sql),
    async whileStopped(run) {
      await postgres.stop();
      try {
        await run();
      } finally {
        await postgres.start();
      }
    },
  };
}
