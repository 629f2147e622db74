// Parts that every database provides, and the options of the store.
import type { Kysely } from 'kysely';
import type { Log } from '../utils/log.ts';
import type { RevocationFeed } from './feed/revocation-feed.ts';
import type { Database } from './tables.ts';

/** What one kind of database brings; the verbs are the same on all. */
export interface Engine {
  db: Kysely<Database>;
  reader: Kysely<Database>;
  locksRows: boolean;
  feed: RevocationFeed;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Default: silent. */
  log?: Log;
  /** PostgreSQL alone: how many connections, beside the one that listens. Default 10. */
  poolSize?: number;
  /** PostgreSQL alone: how long a statement may take. Default 5. */
  statementTimeoutSeconds?: number;
  /** PostgreSQL alone: how long to wait for a connection. Default 2. */
  connectTimeoutSeconds?: number;
}

/** The databases that there are migrations for; where they differ, a migration says so. */
export type DatabaseKind = 'sqlite' | 'postgres';
