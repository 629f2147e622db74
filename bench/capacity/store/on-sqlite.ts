// The store on an SQLite file.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/storage/open-store.ts';
import { fillSqlite } from '../../support/fill-store.ts';
import { type Latency, measureLatency, openFollowers } from './latency.ts';
import { measureOperations, type OperationCosts } from './measure-operations.ts';
import type { Amounts } from './on-postgres.ts';
import { createOperations, createTakeSession } from './operations.ts';

export interface SqliteFigures {
  operations: OperationCosts[];
  /** Of the file, with the session's share of a user in it. */
  bytesPerSession: number;
  latency: Latency;
}

export async function measureSqlite({
  sessions,
  rounds,
  sliceMs,
  revocations,
}: Amounts): Promise<SqliteFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-bench-'));
  const path = join(folder, 'bandha.db');
  const url = `sqlite:${path}`;
  try {
    await (await openStore(url)).close();
    fillSqlite(path, { sessions, revoked: 0, revokedWithinSeconds: 0, now: new Date() });
    const { size } = await stat(path);
    const store = await openStore(url);
    const takeSession = createTakeSession(sessions);
    const operations = await measureOperations(createOperations(store, sessions, takeSession), {
      rounds,
      sliceMs,
      concurrencies: [1, 10],
      serverCpu: undefined,
    });
    const followers = await openFollowers(url, 1);
    const latency = await measureLatency({ store, takeSession, followers, revocations, pauseMs: 50 });
    await followers.close();
    await store.close();
    return { operations, bytesPerSession: size / sessions, latency };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
