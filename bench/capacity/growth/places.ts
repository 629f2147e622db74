// Stores, empty and full, as the settings of the servers on them.
import { join } from 'node:path';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Postgres } from '../../../test/support/postgres.ts';
import { type Filling, fillPostgres, fillSqlite } from '../../support/fill-store.ts';

export interface Size {
  sessions: number;
  /** Of the sessions, the first so many. */
  revoked: number;
  /** To be cached, for the sessions that follow those. */
  tokens: number;
}

export interface Place {
  databaseUrl: string;
  secret: string;
  accessTtlSeconds: number;
}

/** Makes stores on one kind of database. */
export interface Places {
  empty(): Promise<Place>;
  full(): Promise<Place>;
}

const SECRET = 'a secret that only this bench knows of';
/** Longer than the bench takes: no token expires, and no revocation is forgotten, while it runs. */
const ACCESS_TTL_SECONDS = 3 * 60 * 60;
const REVOKED_WITHIN_SECONDS = 600;

export function onSqlite(folder: string, size: Size): Places {
  let made = 0;
  const empty = async () => {
    made += 1;
    return placeAt(`sqlite:${join(folder, `${made}.db`)}`);
  };
  return {
    empty,
    full: async () =>
      fill(await empty(), ({ databaseUrl }) =>
        fillSqlite(databaseUrl.slice('sqlite:'.length), fillingOf(size)),
      ),
  };
}

export function onPostgres(postgres: Postgres, size: Size): Places {
  const empty = async () => placeAt(await postgres.createDatabase());
  return {
    empty,
    full: async () =>
      fill(await empty(), ({ databaseUrl }) => fillPostgres(postgres, databaseUrl, fillingOf(size))),
  };
}

/** Makes the tables, then fills them. */
async function fill(place: Place, doFill: (place: Place) => void | Promise<void>): Promise<Place> {
  await (await openStore(place.databaseUrl)).close();
  await doFill(place);
  return place;
}

function placeAt(databaseUrl: string): Place {
  return { databaseUrl, secret: SECRET, accessTtlSeconds: ACCESS_TTL_SECONDS };
}

function fillingOf({ sessions, revoked }: Size): Filling {
  return { sessions, revoked, revokedWithinSeconds: REVOKED_WITHIN_SECONDS, now: new Date() };
}
