// Stores to measure: empty ones, and filled ones, on SQLite and on PostgreSQL.
import { join } from 'node:path';
import type { Postgres } from '../../test/support/postgres.ts';
import { createTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { fillPostgres, fillSqlite } from './fill-store.ts';

export interface Size {
  sessions: number;
  /** The first sessions, revoked within the last ten minutes. */
  revoked: number;
  /** Access tokens in the cache of a server, for the sessions that follow those. */
  tokens: number;
}

export interface StoreKind {
  name: 'SQLite' | 'PostgreSQL';
  /** Creates a store with its tables and signing key. */
  create(): Promise<TokenIssuer>;
  fill(databaseUrl: string, size: Size): Promise<void>;
}

const REVOKED_WITHIN_SECONDS = 600;

export function onSqlite(folder: string): StoreKind {
  let count = 0;
  return {
    name: 'SQLite',
    create() {
      count += 1;
      return createTokenIssuer(`sqlite:${join(folder, `${count}.db`)}`);
    },
    async fill(databaseUrl, size) {
      fillSqlite(databaseUrl.slice('sqlite:'.length), toFilling(size));
    },
  };
}

export function onPostgres(postgres: Postgres): StoreKind {
  return {
    name: 'PostgreSQL',
    create: async () => createTokenIssuer(await postgres.createDatabase()),
    fill: (databaseUrl, size) => fillPostgres(postgres, databaseUrl, toFilling(size)),
  };
}

function toFilling({ sessions, revoked }: Size) {
  return { sessions, revoked, revokedWithinSeconds: REVOKED_WITHIN_SECONDS, now: new Date() };
}
