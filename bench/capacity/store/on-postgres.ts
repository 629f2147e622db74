// The store on a PostgreSQL server of its own.
import pg from 'pg';
import { openStore } from '../../../src/storage/open-store.ts';
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts';
import { type Filling, fillPostgres, userOf } from '../../support/fill-store.ts';
import { type FanOut, measureFanOut } from './fan-out.ts';
import { createFeedRead } from './feed-read.ts';
import { type FirstRead, measureFirstRead } from './first-read.ts';
import { type Latency, measureLatency, openFollowers } from './latency.ts';
import { measureOperations, type OperationCosts, runFor } from './measure-operations.ts';
import { createOperations, createTakeSession, type Operation } from './operations.ts';
import { createServerCpu } from './server-cpu.ts';
import { type LogBytes, measureLogBytes } from './write-ahead-log.ts';

export interface RowBytes {
  sessions: number;
  bytesPerSession: number;
  bytesPerUser: number;
}

export interface PostgresFigures {
  version: string;
  sizes: RowBytes[];
  operations: (OperationCosts & LogBytes)[];
  /** One read of a feed, one change new among 10,000: before the first `analyze` of that table, and after it. */
  readAmongMany: { unanalyzedMicros: number | undefined; analyzedMicros: number | undefined };
  /** Rotations that touched no index, of all. */
  heapOnlyShare: number;
  /** One read of a feed while a transaction that writes is left open, by the changes made since it began. */
  readBehindOpenWrite: { changes: number; serverMicros: number | undefined }[];
  latency: { idle: Latency; busy: Latency };
  fanOut: FanOut[];
  firstReads: FirstRead[];
}

export interface Amounts {
  sessions: number;
  rounds: number;
  sliceMs: number;
  revocations: number;
  followers: readonly number[];
  changes: readonly number[];
}

const CONCURRENCIES = [1, 10];
const LOGGED_TIMES = 500;
const MANY_CHANGES = 10_000;

export async function measurePostgres(amounts: Amounts): Promise<PostgresFigures> {
  const postgres = await startPostgres(['-c', 'max_connections=400']);
  try {
    const few = amounts.sessions / 10;
    const small = await createFilled(postgres, few);
    const large = await createFilled(postgres, amounts.sessions);
    const sizes = [
      await measureSizes(postgres, small, few),
      await measureSizes(postgres, large, amounts.sessions),
    ];
    const readAmongMany = await measureReadAmongMany(postgres, small, amounts.sliceMs);
    return { ...(await measureVerbs(postgres, large, amounts)), sizes, readAmongMany };
  } finally {
    await postgres.remove();
  }
}

async function measureVerbs(
  postgres: Postgres,
  url: string,
  amounts: Amounts,
): Promise<Omit<PostgresFigures, 'sizes' | 'readAmongMany'>> {
  const { sessions, rounds, sliceMs, revocations } = amounts;
  const takeSession = createTakeSession(sessions);
  const serverCpu = await createServerCpu(url);
  const [version] = await postgres.query(url, 'show server_version');
  const feedRead = await createFeedRead(postgres, url, Math.max(...CONCURRENCIES));
  const store = await openStore(url);
  try {
    const operations = [...createOperations(store, sessions, takeSession), feedRead];
    const costs = await measureOperations(operations, {
      rounds,
      sliceMs,
      concurrencies: CONCURRENCIES,
      serverCpu,
    });
    const heapOnlyShare = await readHeapOnlyShare(postgres, url);
    const log = await measureLogBytes(postgres, url, operations, LOGGED_TIMES);

    const readBehindOpenWrite: PostgresFigures['readBehindOpenWrite'] = [];
    for (const changes of [0, 1_000, 10_000]) {
      const holder = new pg.Client({ connectionString: url });
      await holder.connect();
      await holder.query('begin');
      await holder.query('select pg_current_xact_id()');
      await postgres.query(url, insertChanges(changes));
      await feedRead.prepare();
      const slice = await runFor(2 * sliceMs, feedRead, 1, serverCpu);
      readBehindOpenWrite.push({ changes, serverMicros: serverCpu && slice.serverMicros / slice.count });
      await holder.end();
    }

    // As autovacuum does within a minute of such a rush.
    await postgres.query(url, 'vacuum analyze changes');
    const one = await openFollowers(url, 1);
    const latencyOptions = { store, takeSession, followers: one, revocations, pauseMs: 20 };
    const idle = await measureLatency(latencyOptions);
    const busy = await whileRotating(operations, () => measureLatency(latencyOptions));
    await one.close();

    const fanOut: FanOut[] = [];
    for (const count of amounts.followers) {
      const options = { store, takeSession, revocations: Math.ceil(revocations / 3), serverCpu };
      fanOut.push(await measureFanOut(url, count, options));
    }
    const firstReads: FirstRead[] = [];
    for (const changes of amounts.changes) firstReads.push(await measureFirstRead(postgres, changes));
    return {
      version: String(version?.server_version),
      operations: costs.map((own, i) => ({ ...own, ...(log[i] as LogBytes) })), // one each
      heapOnlyShare,
      readBehindOpenWrite,
      latency: { idle, busy },
      fanOut,
      firstReads,
    };
  } finally {
    await feedRead.close();
    await store.close();
  }
}

async function measureReadAmongMany(
  postgres: Postgres,
  url: string,
  sliceMs: number,
): Promise<PostgresFigures['readAmongMany']> {
  const serverCpu = await createServerCpu(url);
  await postgres.query(url, 'alter table changes set (autovacuum_enabled = false)');
  await postgres.query(url, insertChanges(MANY_CHANGES));
  const feedRead = await createFeedRead(postgres, url, 1);
  await postgres.query(url, insertChanges(1));
  const measure = async () => {
    const slice = await runFor(2 * sliceMs, feedRead, 1, serverCpu);
    return serverCpu && slice.serverMicros / slice.count;
  };
  const unanalyzedMicros = await measure();
  await postgres.query(url, 'analyze changes');
  const analyzedMicros = await measure();
  await feedRead.close();
  return { unanalyzedMicros, analyzedMicros };
}

/** Runs the task while ten others rotate sessions without a pause. */
async function whileRotating<T>(operations: readonly Operation[], task: () => Promise<T>): Promise<T> {
  const rotate = operations.find(({ name }) => name === 'rotateSession');
  let isOver = false;
  const worker = async () => {
    while (!isOver) await rotate?.run();
  };
  const workers = Array.from({ length: 10 }, worker);
  const result = await task();
  isOver = true;
  await Promise.all(workers);
  return result;
}

async function readHeapOnlyShare(postgres: Postgres, url: string): Promise<number> {
  const [row] = await postgres.query(
    url,
    `select n_tup_hot_upd::float8 / greatest(1, n_tup_upd) as share from pg_stat_user_tables where relname = 'sessions'`,
  );
  return Number(row?.share);
}

async function createFilled(postgres: Postgres, sessions: number): Promise<string> {
  const url = await postgres.createDatabase();
  await (await openStore(url)).close();
  const filling: Filling = {
    sessions,
    revoked: 0,
    revokedWithinSeconds: 0,
    now: new Date(),
  };
  await fillPostgres(postgres, url, filling);
  return url;
}

async function measureSizes(postgres: Postgres, url: string, sessions: number): Promise<RowBytes> {
  const sizeOf = async (table: string) => {
    const [row] = await postgres.query(url, `select pg_total_relation_size('${table}') as bytes`);
    return Number(row?.bytes);
  };
  return {
    sessions,
    bytesPerSession: (await sizeOf('sessions')) / sessions,
    bytesPerUser: (await sizeOf('users')) / userOf(sessions),
  };
}

function insertChanges(count: number): string {
  return `insert into changes (kind, subject, made_at)
    select 'SESSION_REVOKED', gen_random_uuid()::text, ${Date.now()} from generate_series(1, ${count})`;
}
