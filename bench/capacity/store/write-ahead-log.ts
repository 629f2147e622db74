// How much an operation writes to PostgreSQL's log.
import { setTimeout as wait } from 'node:timers/promises';
import type { Postgres } from '../../../test/support/postgres.ts';
import type { Operation } from './operations.ts';

export interface LogBytes {
  /** Of one, on pages that have been written to since the last checkpoint. */
  bytes: number;
  /** Of one, just after a checkpoint: with images of the pages it is the first to write to. */
  bytesAfterCheckpoint: number;
}

/** Each `times` times, one at a time and with autovacuum held off, so that nothing is counted that others write. */
export async function measureLogBytes(
  postgres: Postgres,
  url: string,
  operations: readonly Operation[],
  times: number,
): Promise<LogBytes[]> {
  const set = async (name: string, value: 'on' | 'off') => {
    await postgres.query(url, `alter system set ${name} = ${value}`);
    await postgres.query(url, 'select pg_reload_conf()');
  };
  const measure = async (operation: Operation) => {
    await operation.prepare?.();
    await postgres.query(url, 'checkpoint');
    const before = await readPosition(postgres, url);
    for (let i = 0; i < times; i += 1) await operation.run();
    return ((await readPosition(postgres, url)) - before) / times;
  };

  await set('autovacuum', 'off');
  await untilVacuumed(postgres, url);
  const costs: LogBytes[] = [];
  for (const operation of operations) {
    await set('full_page_writes', 'off');
    const bytes = await measure(operation);
    await set('full_page_writes', 'on');
    costs.push({ bytes, bytesAfterCheckpoint: await measure(operation) });
  }
  await set('autovacuum', 'on');
  return costs;
}

async function untilVacuumed(postgres: Postgres, url: string): Promise<void> {
  const query = `select count(*)::int as workers from pg_stat_activity where backend_type = 'autovacuum worker'`;
  for (;;) {
    const [row] = await postgres.query(url, query);
    if (row?.workers === 0) return;
    await wait(200);
  }
}

async function readPosition(postgres: Postgres, url: string): Promise<number> {
  const [row] = await postgres.query(url, `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`);
  return Number(row?.bytes);
}
