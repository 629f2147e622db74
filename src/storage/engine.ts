// Interface of a database engine, and the options of the store.
import type { Kysely } from 'kysely';
import type { Log } from '../utils/log.ts';
import type { RevocationFeed } from './feed/revocation-feed.ts';
import type { Database } from './tables.ts';

/** Parts of the store that differ between databases. All queries are shared. */
export interface Engine {
  db: Kysely<Database>;
  /** As `QueryContext.reader`. */
  reader: Kysely<Database>;
  /** As `QueryContext.hasRowLocks`. */
  hasRowLocks: boolean;
  feed: RevocationFeed;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** @default a logger that writes nothing */
  log?: Log;
  /** PostgreSQL only: maximum number of connections, not counting the feed's. @default 10 */
  poolSize?: number;
  /** PostgreSQL only: seconds that one statement may take. @default 5 */
  statementTimeoutSeconds?: number;
  /** PostgreSQL only: seconds to wait for a connection. @default 2 */
  connectTimeoutSeconds?: number;
}

/** Databases that the migrations support. */
export type DatabaseKind = 'sqlite' | 'postgres';
