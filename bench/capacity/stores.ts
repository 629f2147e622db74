// Stores to measure: empty ones, and filled ones, on SQLite and on PostgreSQL.
import { join } from 'node:path';
import { openStore } from '../../src/storage/open-store.ts';
import type { Postgres } from '../../test/support/postgres.ts';
import { fillPostgres, fillSqlite } from './fill-store.ts';

export interface Size {
  sessions: number;
  /** The first sessions, revoked within the last ten minutes. */
  revoked: number;
  /** Access tokens in the cache of a server, for the sessions that follow those. */
  tokens: number;
}

/** Options of `createBandha`. */
export interface Settings {
  databaseUrl: string;
  secret: string;
  accessTtlSeconds: number;
}

export interface StoreKind {
  name: 'SQLite' | 'PostgreSQL';
  /** Creates a store with its tables. */
  create(): Promise<Settings>;
  fill(settings: Settings, size: Size): Promise<void>;
}

const SECRET = 'a secret that is long enough for a benchmark';
/** Longer than a run, so that no token and no revocation expires meanwhile. */
const ACCESS_TTL_SECONDS = 3 * 60 * 60;
const REVOKED_WITHIN_SECONDS = 600;

export function onSqlite(folder: string): StoreKind {
  let count = 0;
  return {
    name: 'SQLite',
    create() {
      count += 1;
      return createTables(`sqlite:${join(folder, `${count}.db`)}`);
    },
    async fill({ databaseUrl }, size) {
      fillSqlite(databaseUrl.slice('sqlite:'.length), toFilling(size));
    },
  };
}

export function onPostgres(postgres: Postgres): StoreKind {
  return {
    name: 'PostgreSQL',
    create: async () => createTables(await postgres.createDatabase()),
    fill: ({ databaseUrl }, size) => fillPostgres(postgres, databaseUrl, toFilling(size)),
  };
}

async function createTables(databaseUrl: string): Promise<Settings> {
  await (await openStore(databaseUrl)).close();
  return { databaseUrl, secret: SECRET, accessTtlSeconds: ACCESS_TTL_SECONDS };
}

function toFilling({ sessions, revoked }: Size) {
  return { sessions, revoked, revokedWithinSeconds: REVOKED_WITHIN_SECONDS, now: new Date() };
}
