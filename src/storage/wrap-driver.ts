// Wraps a Kysely driver, so that one function sees every call to the database.
import type { DatabaseConnection, Driver } from 'kysely';

/** Runs `task` and returns its result; may retry it or replace its error. */
export type Interceptor = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Runs every call that can reach the database through `interceptor`. Delegates instead of inheriting or copying, since
 * Kysely's drivers have private fields.
 */
export function wrapDriver(driver: Driver, interceptor: Interceptor): Driver {
  const wrappers = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const originals = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection) => originals.get(connection) ?? connection;

  function wrap(connection: DatabaseConnection): DatabaseConnection {
    const existing = wrappers.get(connection);
    if (existing !== undefined) return existing;
    const wrapper: DatabaseConnection = {
      streamQuery: (...args) => connection.streamQuery(...args),
      executeQuery: (...args) => interceptor(() => connection.executeQuery(...args)),
    };
    wrappers.set(connection, wrapper);
    originals.set(wrapper, connection);
    return wrapper;
  }

  return {
    init: (options) => driver.init(options),
    acquireConnection: async (options) => wrap(await interceptor(() => driver.acquireConnection(options))),
    beginTransaction: (connection, settings) =>
      interceptor(() => driver.beginTransaction(unwrap(connection), settings)),
    commitTransaction: (connection) => interceptor(() => driver.commitTransaction(unwrap(connection))),
    rollbackTransaction: (connection) => interceptor(() => driver.rollbackTransaction(unwrap(connection))),
    releaseConnection: (connection, options) => driver.releaseConnection(unwrap(connection), options),
    destroy: (options) => driver.destroy(options),
  };
}
