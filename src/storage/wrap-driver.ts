// Something done around everything that Kysely asks of a database's driver.
import type { DatabaseConnection, Driver } from 'kysely';

/** Runs `task`, whose fault it may turn into another one. */
export type Interceptor = <T>(task: () => Promise<T>) => Promise<T>;

/** Kysely's drivers have their state in private fields, so a wrapped one hands every call on. */
export function wrapDriver(driver: Driver, interceptor: Interceptor): Driver {
  const wrapped = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection) => inner.get(connection) ?? connection;

  function wrap(connection: DatabaseConnection): DatabaseConnection {
    const known = wrapped.get(connection);
    if (known !== undefined) return known;
    const made: DatabaseConnection = {
      streamQuery: (...args) => connection.streamQuery(...args),
      executeQuery: (...args) => interceptor(() => connection.executeQuery(...args)),
    };
    wrapped.set(connection, made);
    inner.set(made, connection);
    return made;
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
