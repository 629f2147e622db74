// Kysely's PostgreSQL dialect on `pg`, with timeouts and connections that recover.
import type { Socket } from 'node:net';
import { type Dialect, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { type Interceptor, wrapDriver } from '../wrap-driver.ts';
import { READ_TIMEOUT_MESSAGE } from './errors.ts';

export interface PostgresOptions {
  url: string;
  poolSize: number;
  /** Undefined for no limit. */
  statementTimeoutMs: number | undefined;
  connectTimeoutMs: number;
}

/** Type `int8` in PostgreSQL's catalog. */
const INT8_OID = 20;
/** An idle connection is closed after this time. */
const IDLE_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
/** Added to the server's own statement timeout. If the server has not responded by then, the connection is dropped. */
const READ_TIMEOUT_EXTRA_MS = 1_000;
const TERMINATE_GRACE_MS = 1_000;

/** Options of every connection, the feed's included. */
export function clientConfig({
  url,
  statementTimeoutMs,
  connectTimeoutMs,
}: PostgresOptions): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'bandha',
    connectionTimeoutMillis: connectTimeoutMs,
    ...(statementTimeoutMs !== undefined && {
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + READ_TIMEOUT_EXTRA_MS,
      idle_in_transaction_session_timeout: statementTimeoutMs,
    }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types: {
      // Times in milliseconds and ids are far below 2^53, so numbers are exact. `pg` would return strings.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser, // overloaded by format
    },
  };
}

export function postgresDialect(options: PostgresOptions, interceptor: Interceptor): Dialect {
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: options.poolSize,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  });
  // Ignored: the pool replaces an idle connection that breaks, and connecting again reports the error.
  pool.on('error', () => {});
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => {
    // Ignored: the next statement on the connection reports the error. Without a listener it would end the process.
    client.on('error', () => {});
    open.add(client);
  });
  pool.on('remove', (client) => open.delete(client));
  const dialect = new PostgresDialect({
    pool: {
      ...dropTimedOutClients(pool),
      async end() {
        for (const client of open) terminate(client);
        await pool.end();
      },
    },
  });
  return {
    createDriver: () => wrapDriver(dialect.createDriver(), interceptor),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

/**
 * Closes a connection without waiting for the server, which may not respond: `pg` alone would keep the process alive.
 * Sends the termination message, and destroys the socket after a grace period.
 */
export function terminate(client: pg.ClientBase): void {
  // `pg` offers no other access to the socket, and the type of a pool's client lacks `end`.
  const { connection, end } = client as unknown as {
    connection: { stream: Socket };
    end(): Promise<void>;
  };
  end.call(client).catch(() => {});
  setTimeout(() => connection.stream.destroy(), TERMINATE_GRACE_MS).unref();
}

/**
 * Wraps a pool so that a connection with a timed-out statement is closed instead of reused: the late response to that
 * statement would be taken for the response to the next one.
 */
function dropTimedOutClients(pool: pg.Pool): Omit<PostgresPool, 'end'> {
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      let hasTimedOut = false;
      return {
        async query(text: string, values: readonly unknown[]) {
          // Fails at once: a rollback on this connection, for example, would wait for a full timeout again.
          if (hasTimedOut) throw new Error(READ_TIMEOUT_MESSAGE);
          try {
            return await client.query(text, values.map(replaceNul));
          } catch (error) {
            hasTimedOut ||= error instanceof Error && error.message === READ_TIMEOUT_MESSAGE;
            throw error;
          }
        },
        release(destroy?: boolean) {
          if (hasTimedOut) terminate(client);
          client.release(destroy || hasTimedOut);
        },
        // biome-ignore lint/suspicious/noExplicitAny: Kysely's type has an overload for cursors, which are not used
      } as any;
    },
  };
}

/** Replaces NUL, which PostgreSQL rejects in text. A lookup with a replaced id finds no row, as for any unknown id. */
function replaceNul(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
}
