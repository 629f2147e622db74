// What the store's operations cost on PostgreSQL and SQLite. Writes bench/capacity/measured/store.json, which capacity:scale reads.
// Run: npm run capacity:store --workspace bench [-- SHARE]   of the full size, from 0.1, for a try
import { availableParallelism, cpus } from 'node:os';
import { saveMeasured } from '../support/measured.ts';
import { createReport, writeSection } from '../support/report.ts';
import type { Cell } from '../support/table.ts';
import { measurePostgres, type PostgresFigures } from './store/on-postgres.ts';
import { measureSqlite, type SqliteFigures } from './store/on-sqlite.ts';
import { measureProcessor } from './store/processor.ts';

const share = Number(process.argv[2] ?? 1);
const amounts = {
  sessions: 1_000_000 * share,
  rounds: Math.ceil(10 * share),
  sliceMs: 700,
  revocations: Math.ceil(300 * share),
  followers: [1, 10, 50, 100],
  changes: [10_000, 100_000, 1_000_000],
};

const report = createReport();
const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`;
const processor = await measureProcessor();
const sqlite = await measureSqlite(amounts);
const postgres = await measurePostgres(amounts);
print(postgres, sqlite);
if (share === 1) {
  await writeSection('bench/README.md', 'store', report.text());
  const { operations, ...others } = postgres;
  await saveMeasured('store', {
    machine,
    processor,
    postgres: {
      ...others,
      operations: Object.fromEntries(operations.map(({ name, ...costs }) => [name, costs])),
    },
  });
}

function print(postgres: PostgresFigures, sqlite: SqliteFigures): void {
  console.log(
    `${machine}, PostgreSQL ${postgres.version}; ${amounts.sessions.toLocaleString('en')} sessions`,
  );
  report.table(
    'On PostgreSQL',
    [
      'a second, 1 at a time',
      '10 at a time',
      'CPU µs, Node',
      'CPU µs, server',
      'log bytes',
      '… after a checkpoint',
    ],
    postgres.operations.map((of) => [
      of.name,
      ...Object.values(of.perSecond),
      of.clientMicros,
      of.serverMicros,
      of.bytes,
      of.bytesAfterCheckpoint,
    ]),
  );
  report.table(
    'On SQLite',
    ['a second, 1 at a time', '10 at a time', 'CPU µs'],
    sqlite.operations.map((of) => [of.name, ...Object.values(of.perSecond), of.clientMicros]),
  );
  report.table(
    'Bytes on disk, with indexes',
    ['per session', 'per user', 'per change'],
    [
      ...postgres.sizes.map((of): Cell[] => [
        `PostgreSQL, ${of.sessions.toLocaleString('en')} sessions`,
        of.bytesPerSession,
        of.bytesPerUser,
        postgres.firstReads.at(-1)?.bytesPerChange,
      ]),
      [
        `SQLite, ${amounts.sessions.toLocaleString('en')} sessions, users among them`,
        sqlite.bytesPerSession,
        undefined,
        undefined,
      ],
    ],
  );
  report.table(
    'From revokeSession to the listener of another store, ms',
    ['p50', 'p99'],
    [
      ['PostgreSQL, idle', postgres.latency.idle.p50, postgres.latency.idle.p99],
      ['PostgreSQL, 10 rotations at a time beside it', postgres.latency.busy.p50, postgres.latency.busy.p99],
      ['SQLite, idle', sqlite.latency.p50, sqlite.latency.p99],
    ],
  );
  report.table(
    'Followers of one PostgreSQL, all in one process',
    ['ms to the last, p50', 'p99', 'CPU µs a revocation, server', 'Node', 'revocations a second'],
    postgres.fanOut.map((of) => [
      of.followers.toLocaleString('en'),
      of.p50,
      of.p99,
      of.serverMicros,
      of.clientMicros,
      of.perSecond,
    ]),
  );
  report.table(
    'First read of a feed, by changes in its past',
    ['ms'],
    postgres.firstReads.map(({ changes, ms }) => [changes.toLocaleString('en'), ms ?? 'given up']),
  );
  report.table(
    'Read of a feed while another transaction that writes is open, by changes made since it began',
    ['CPU µs, server'],
    postgres.readBehindOpenWrite.map(({ changes, serverMicros }) => [
      changes.toLocaleString('en'),
      serverMicros,
    ]),
  );
  report.table(
    'Read of a feed, one change new among 10,000',
    ['CPU µs, server'],
    [
      ['statistics of before those changes', postgres.readAmongMany.unanalyzedMicros],
      ['analyzed', postgres.readAmongMany.analyzedMicros],
    ],
  );
  report.table(
    'Beside the store',
    ['CPU µs'],
    [
      ['verify a password (Argon2id)', processor.verifyPassword],
      ['sign an access token', processor.signToken],
      ['verify an access token that is not cached', processor.verifyToken],
    ],
  );
  report.say(`Rotations that touched no index: ${(postgres.heapOnlyShare * 100).toFixed(0)} %.`);
}
