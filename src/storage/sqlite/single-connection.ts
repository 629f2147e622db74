// Queues queries for a database with one connection; each release wakes only the next query in the queue.
import type { DialectAdapter, Driver } from 'kysely';

/** Number of served entries after which a queue that never becomes empty removes them. */
const COMPACT_AFTER = 1_000;

/**
 * Replaces Kysely's own mutex, which wakes all waiting queries at each release. For n concurrent reads that is n² / 2
 * wake-ups: 50 million for 10,000 reads.
 */
export function queueForConnection(driver: Driver): Driver {
  /** Queries that wait for the connection, from index `next` on; those before it have been served. */
  let pending: (() => void)[] = [];
  let next = 0;
  let isBusy = false;

  function wakeNext(): void {
    const wake = pending[next];
    if (wake === undefined) {
      pending = [];
      next = 0;
      isBusy = false;
      return;
    }
    next += 1;
    if (next > COMPACT_AFTER && next * 2 > pending.length) {
      pending = pending.slice(next);
      next = 0;
    }
    wake();
  }

  return {
    init: (options) => driver.init(options),
    async acquireConnection(options) {
      if (isBusy) await new Promise<void>((resolve) => pending.push(resolve));
      isBusy = true;
      try {
        return await driver.acquireConnection(options);
      } catch (error) {
        wakeNext();
        throw error;
      }
    },
    async releaseConnection(connection, options) {
      try {
        await driver.releaseConnection(connection, options);
      } finally {
        wakeNext();
      }
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
    destroy: (options) => driver.destroy(options),
  };
}

/** Keeps Kysely from adding its mutex, since the driver queues by itself: Kysely takes it for a pool. */
export function withoutMutex(adapter: DialectAdapter): DialectAdapter {
  return new Proxy(adapter, {
    get: (target, name) =>
      name === 'supportsMultipleConnections' ? true : Reflect.get(target, name, target),
  });
}
