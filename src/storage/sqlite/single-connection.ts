// A database with one connection: queries use it in turn, and each release wakes the next in the queue alone.
import type { DialectAdapter, Driver } from 'kysely';

/** A queue that never becomes empty drops what it has woken after so many, in one go. */
const COMPACT_AFTER = 1_000;

/**
 * Takes the place of Kysely's own mutex, whose waiters all wake at each release and queue again: with n concurrent
 * reads that is n² / 2 wake-ups, 50 million for 10,000 reads.
 */
export function queueForConnection(driver: Driver): Driver {
  /** Who waits for the connection; those before `next` have had it. */
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

/** The adapter of a dialect whose driver queues by itself, so that Kysely adds no mutex. */
export function withoutMutex(adapter: DialectAdapter): DialectAdapter {
  return new Proxy(adapter, {
    get: (target, name) =>
      name === 'supportsMultipleConnections' ? true : Reflect.get(target, name, target),
  });
}
