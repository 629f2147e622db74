// How long an instance takes to hear of the past: with so many changes in it, before it can verify anything.

import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import type { Postgres } from '../../../test/support/postgres.ts';

export interface FirstRead {
  changes: number;
  /** Undefined where the store gave up. */
  ms: number | undefined;
  /** Of one change in the database. */
  bytesPerChange: number;
}

export async function measureFirstRead(postgres: Postgres, changes: number): Promise<FirstRead> {
  const url = await postgres.createDatabase();
  const store = await openStore(url);
  try {
    await postgres.query(
      url,
      `insert into changes (kind, subject, made_at)
        select 'SESSION_REVOKED', gen_random_uuid()::text, ${Date.now()} from generate_series(1, ${changes})`,
    );
    await postgres.query(url, 'vacuum analyze changes');
    const [size] = await postgres.query(url, `select pg_total_relation_size('changes') as bytes`);
    return { changes, ms: await follow(store), bytesPerChange: Number(size?.bytes) / changes };
  } finally {
    await store.close();
  }
}

async function follow(store: Store): Promise<number | undefined> {
  const startedAt = performance.now();
  try {
    await store.subscribe(
      () => {},
      () => new Date(0),
    );
    return performance.now() - startedAt;
  } catch {
    return undefined;
  }
}
