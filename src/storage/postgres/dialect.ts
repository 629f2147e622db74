// PostgreSQL by `pg`, under Kysely's PostgreSQL dialect.
import type { Socket } from 'node:net';
import { type Dialect, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import type { ClassifyError } from '../outage.ts';
import { type Interceptor, wrapDriver } from '../wrap-driver.ts';

export interface PostgresOptions {
  url: string;
  poolSize: number;
  /** Undefined: as long as it takes. */
  statementTimeoutMs: number | undefined;
  connectTimeoutMs: number;
}

const INT8 = 20;
/** A connection that has been idle for this long goes back to the server. */
const IDLE_MS = 30_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** The server ends a statement by itself first; where it does not even do that, the connection is given up. */
const GIVE_UP_AFTER_MS = 1_000;
const TERMINATE_GRACE_MS = 1_000;
const READ_TIMEOUT_MESSAGE = 'Query read timeout';

/** What every connection has, the one that listens too. */
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
      query_timeout: statementTimeoutMs + GIVE_UP_AFTER_MS,
      idle_in_transaction_session_timeout: statementTimeoutMs,
    }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: {
      // Instants in milliseconds and ids: whole numbers far below 2^53.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser, // its overloads are by format
    },
  };
}

export function postgresDialect(options: PostgresOptions, interceptor: Interceptor): Dialect {
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: options.poolSize,
    idleTimeoutMillis: IDLE_MS,
  });
  // An idle connection that breaks is replaced when one is needed; that one says what is wrong.
  pool.on('error', () => {});
  // One that breaks between two statements of a transaction says so at the next; unheard, it would end the process.
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => {
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

/** A pool that does not take back a connection on which a statement was given up: its answer may still come. */
function dropTimedOutClients(pool: pg.Pool): Omit<PostgresPool, 'end'> {
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      let hasTimedOut = false;
      return {
        async query(text: string, values: readonly unknown[]) {
          // Nor is anything asked on it any more, as the end of its transaction, that would wait for as long again.
          if (hasTimedOut) throw new Error(READ_TIMEOUT_MESSAGE);
          try {
            return await client.query(text, values.map(toText));
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

/** PostgreSQL's text holds no NUL; nothing is found under one, as under any other id that nobody has. */
function toText(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
}

/** Codes of SQLSTATE that mean: the server is there, and this one statement did not come through in time. */
const TRANSIENT_STATES = [
  /^57014$/, // it took too long
  /^25P03$/, // the transaction lay idle, as in a process that was suspended
  /^40/, // deadlock or serialization: done again it succeeds
];

/** Classes and codes of SQLSTATE that mean: not now (PostgreSQL's manual, appendix A). */
const OUTAGE_STATES = [
  /^08/, // connection exceptions
  /^53/, // out of connections, memory or disk
  /^57/, // shut down, or starting up
  /^58/, // input and output
  /^25006$/, // read-only: a standby that is not the primary yet
];

/** Tells whether the server cannot be had at the moment; a fault of the statement or of the password is none of it. */
export const classifyPostgresError: ClassifyError = (error) => {
  if (error instanceof pg.DatabaseError) {
    const isOneOf = (states: readonly RegExp[]) => states.some((state) => state.test(error.code ?? ''));
    if (isOneOf(TRANSIENT_STATES)) return 'momentary';
    return isOneOf(OUTAGE_STATES) ? 'outage' : 'fault';
  }
  if (!(error instanceof Error)) return 'fault';
  const isOutage = isNetworkError(error) || OUTAGE_MESSAGES.some((text) => error.message.startsWith(text));
  return isOutage ? 'outage' : 'fault';
};

/** What `pg` says in words alone. */
const OUTAGE_MESSAGES = [
  'Connection terminated',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
  'There was an error establishing an SSL connection',
  READ_TIMEOUT_MESSAGE,
];

function isNetworkError(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.every(isNetworkError);
  return 'syscall' in error || 'errno' in error || NETWORK_CODES.includes(Reflect.get(error, 'code'));
}

/** What Node's TLS says without a system call of its own. */
const NETWORK_CODES: readonly unknown[] = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];

/** Says goodbye to the server, and waits for no answer: it may not be there, and the process would not end. */
export function terminate(client: pg.ClientBase): void {
  // `pg` has no other way to the socket, and a pool's client has no `end` in the types.
  const { connection, end } = client as unknown as {
    connection: { stream: Socket };
    end(): Promise<void>;
  };
  end.call(client).catch(() => {});
  setTimeout(() => connection.stream.destroy(), TERMINATE_GRACE_MS).unref();
}
