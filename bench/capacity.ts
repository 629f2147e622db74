// Measures the cost of store operations, the cost of a request on a full store, and the capacity of one server.
// Run: npm run capacity --workspace bench [-- share=0.01 activeShare=0.1 …]   `share` of the full size, for a try
import { stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { createPasswordHasher } from '../src/passwords/hasher.ts';
import { openStore } from '../src/storage/open-store.ts';
import { type Postgres, startPostgres } from '../test/support/postgres.ts';
import { withFolder } from '../test/support/server-process.ts';
import { measureGrowth } from './capacity/growth.ts';
import { measureOperations, type OperationCosts } from './capacity/measure-operations.ts';
import { createOperations, createTakeSession } from './capacity/operations.ts';
import { computeLoad, HABITS } from './capacity/population.ts';
import { createServerCpu } from './capacity/server-cpu.ts';
import { onPostgres, onSqlite, type StoreKind } from './capacity/stores.ts';
import { createReport, writeSection } from './support/report.ts';

const GOAL = 1.1;
const POPULATIONS = [10_000, 1_000_000, 10_000_000, 100_000_000];

const options = readOptions({ share: 1, ...HABITS });
const { share } = options;
const size = { sessions: 1_000_000 * share, revoked: 100_000 * share, tokens: 100_000 * share };
const rounds = Math.max(3, Math.ceil(60 * share));

const report = createReport();
report.say(
  `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}. Full: ${size.sessions.toLocaleString('en')} sessions, ${size.revoked.toLocaleString('en')} of them revoked within ten minutes, ${size.tokens.toLocaleString('en')} tokens cached.`,
);
let postgres: Postgres | undefined;
await withFolder(async (folder) => {
  postgres = await startPostgres(['-c', 'max_connections=400']);
  await measureKind(onSqlite(folder), folder);
  const measured = await measureKind(onPostgres(postgres), folder);
  const population = createReport();
  printPopulations(population, { ...measured, verifyPassword: await measurePassword() });
  const isPrinted = Object.entries({ share: 1, ...HABITS }).every(
    ([name, value]) => options[name as keyof typeof options] === value, // names of the same object
  );
  if (isPrinted) {
    await writeSection('bench/README.md', 'capacity', `${report.text()}\n\n${population.text()}`);
    await writeSection('docs/operations/scaling.md', 'capacity', population.text());
  }
}).finally(() => postgres?.remove());

async function measureKind(kind: StoreKind, folder: string) {
  const { databaseUrl } = (await kind.create()).settings;
  await kind.fill(databaseUrl, { ...size, revoked: 0 });
  const bytesPerSession = (await measureBytes(databaseUrl)) / size.sessions;
  const operations = await measureStore(databaseUrl);
  report.table(
    `${kind.name}, operations of the store`,
    ['per second, 1 at a time', '10 at a time', 'CPU µs, Node', 'CPU µs, server'],
    operations.map((of) => [of.name, ...Object.values(of.perSecond), of.clientMicros, of.serverMicros]),
  );
  const growth = await measureGrowth(kind, size, { rounds, folder });
  report.table(
    `${kind.name}, a protected request`,
    ['measured'],
    [
      ['CPU µs on an empty store', growth.requestMicros],
      ['another process on an empty store, ratio', growth.controlRatio.toFixed(3)],
      ['full store, all cached tokens in turn, ratio', growth.fullRatio.toFixed(3)],
      ['heap bytes per revoked session', growth.bytesPerRevokedSession],
      ['heap bytes per cached token', growth.bytesPerCachedToken],
      ['disk bytes per session, with its share of a user', bytesPerSession],
      ['start on the empty store, ms', growth.emptyReadyMs],
      ['start on the full store, ms', growth.fullReadyMs],
    ],
  );
  const isMet = growth.fullRatio <= GOAL;
  report.say(
    `${kind.name}: the full store is ${isMet ? 'within' : '**not** within'} the goal of ${GOAL} times the CPU time.`,
  );
  if (!isMet) process.exitCode = 1;
  return { request: growth.requestMicros, operations, bytesPerSession };
}

async function measureStore(databaseUrl: string): Promise<OperationCosts[]> {
  const store = await openStore(databaseUrl);
  try {
    const takeSession = createTakeSession(size.sessions);
    return await measureOperations(createOperations(store, size.sessions, takeSession), {
      rounds: Math.max(2, Math.ceil(10 * share)),
      sliceMs: 700,
      concurrencies: [1, 10],
      serverCpu: databaseUrl.startsWith('sqlite:') ? undefined : await createServerCpu(databaseUrl),
    });
  } finally {
    await store.close();
  }
}

async function measureBytes(databaseUrl: string): Promise<number> {
  if (databaseUrl.startsWith('sqlite:')) return (await stat(databaseUrl.slice('sqlite:'.length))).size;
  const query = `select pg_total_relation_size('sessions') + pg_total_relation_size('users') as bytes`;
  const [row] = (await postgres?.query(databaseUrl, query)) ?? [];
  return Number(row?.bytes);
}

/** @returns CPU time of one Argon2id verification in microseconds, all threads */
async function measurePassword(): Promise<number> {
  const times = 20;
  const hasher = await createPasswordHasher();
  const hash = await hasher.hash('a password for a benchmark');
  const before = process.cpuUsage();
  for (let i = 0; i < times; i += 1) await hasher.verify('another password', hash);
  const { user, system } = process.cpuUsage(before);
  await hasher.close();
  return (user + system) / times;
}

function printPopulations(population: typeof report, costs: Parameters<typeof computeLoad>[2]): void {
  const loads = POPULATIONS.map((users) => computeLoad(users, options, costs));
  population.table(
    'At the busiest second',
    POPULATIONS.map((users) => `${users.toLocaleString('en')} users`),
    [
      ['protected requests/s', ...loads.map((load) => load.requestsPerSecond)],
      ['refreshes/s', ...loads.map((load) => load.refreshesPerSecond)],
      ['sign-ins/s', ...loads.map((load) => load.signInsPerSecond)],
      ['instances of one core', ...loads.map((load) => load.instances)],
      ['cores of the database server', ...loads.map((load) => load.databaseCores)],
      ['connections to the database', ...loads.map((load) => load.connections)],
      ['disk, GB', ...loads.map((load) => load.diskBytes / 1e9)],
    ],
  );
}

/** Reads `name=value` arguments. */
function readOptions<T extends Record<string, number>>(defaults: T): T {
  const values = process.argv.slice(2).map((argument) => argument.split('='));
  for (const [name = '', value] of values) {
    if (!(name in defaults) || !(Number(value) > 0)) {
      throw new Error(`${name}: must be one of ${Object.keys(defaults).join(', ')}, with a positive number`);
    }
  }
  return { ...defaults, ...Object.fromEntries(values.map(([name, value]) => [name, Number(value)])) };
}
