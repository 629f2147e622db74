// A database with one connection: queries use it in turn, and each release wakes the next in the queue alone.
import type { DialectAdapter, Driver } from 'kysely';

/**
 * Takes the place of Kysely's own mutex, whose waiters all wake at each release and queue again: with n concurrent
 * reads that is n² / 2 wake-ups, 50 million for 10,000 reads.
 */
export function queueForConnection(driver: Driver): Driver {
  let last: Promise<void> = Promise.resolve();
  let release = () => {};
  return {
    init: (options) => driver.init(options),
    async acquireConnection(options) {
      const previous = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await previous;
      release = resolve;
      try {
        return await driver.acquireConnection(options);
      } catch (error) {
        resolve();
        throw error;
      }
    },
    async releaseConnection(connection, options) {
      // Taken before the driver's own release, after which the next in the queue may have set another.
      const wakeNext = release;
      await driver.releaseConnection(connection, options);
      wakeNext();
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
