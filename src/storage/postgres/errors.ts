// Classifies errors of PostgreSQL and of the `pg` driver.
import pg from 'pg';
import type { ClassifyError } from '../outage.ts';

/** Message of `pg` when a statement exceeds `query_timeout`. */
export const READ_TIMEOUT_MESSAGE = 'Query read timeout';

/** SQLSTATE codes of statements that failed while the server works. */
const TRANSIENT_STATES = [
  /^57014$/, // statement timeout
  /^25P03$/, // idle-in-transaction timeout, for example after the process was suspended
  /^40/, // deadlock or serialization failure
];

/** SQLSTATE codes and classes of a server that is unreachable or cannot work (PostgreSQL manual, appendix A). */
const OUTAGE_STATES = [
  /^08/, // connection exception
  /^53/, // out of connections, memory or disk space
  /^57/, // shutting down or starting up
  /^58/, // input or output error
  /^25006$/, // read-only: a standby that has not been promoted yet
];

/** Beginnings of messages of `pg` for failed connections; these errors have no code. */
const OUTAGE_MESSAGES = [
  'Connection terminated',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
  'There was an error establishing an SSL connection',
  READ_TIMEOUT_MESSAGE,
];

/** Codes of network errors that come from Node's TLS, without a system call. */
const NETWORK_CODES: readonly unknown[] = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];

export const classifyPostgresError: ClassifyError = (error) => {
  if (error instanceof pg.DatabaseError) {
    const isOneOf = (states: readonly RegExp[]) => states.some((state) => state.test(error.code ?? ''));
    if (isOneOf(TRANSIENT_STATES)) return 'transient';
    return isOneOf(OUTAGE_STATES) ? 'outage' : 'other';
  }
  if (!(error instanceof Error)) return 'other';
  const isOutage = isNetworkError(error) || OUTAGE_MESSAGES.some((text) => error.message.startsWith(text));
  return isOutage ? 'outage' : 'other';
};

/** @returns true if the configuration is wrong: password, database name, TLS. Retrying would not help. */
export function isConnectionRejected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return Reflect.get(error, 'severity') === 'FATAL' || /does not support SSL|certificate/.test(error.message);
}

/** @returns the issue for a `ConfigError`, with the host but not the password of the URL */
export function connectionIssue(url: string, { message }: Error): string {
  return `DATABASE_URL: must name a database that accepts the connection; PostgreSQL at ${new URL(url).host} reports: ${message}`;
}

function isNetworkError(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.every(isNetworkError);
  return 'syscall' in error || 'errno' in error || NETWORK_CODES.includes(Reflect.get(error, 'code'));
}
