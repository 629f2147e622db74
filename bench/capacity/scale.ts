// What many users ask of instances and of one PostgreSQL, reckoned from measured costs; and how long a revocation takes
// to reach the last of many instances, simulated. Run: npm run capacity:scale --workspace bench [-- key=value …]   of HABITS and SERVER

import { createReport, type Report, writeSection } from '../support/report.ts';
import { showNumber } from '../support/table.ts';
import { loadCosts } from './scale/costs.ts';
import { createRandom, type FanOutSettings, simulateFanOut } from './scale/fan-out.ts';
import { createLimits, findUsersAt, type Server } from './scale/limits.ts';
import { computeLoad, countFeedReads, type Habits, type Load } from './scale/population.ts';

const HABITS: Habits = {
  activeShare: 0.3,
  sessionsPerUser: 2,
  visits: 5,
  visitSeconds: 480,
  signIns: 0.1,
  signOuts: 0.05,
  requests: 200,
  peakFactor: 3,
  accessTtlSeconds: 600,
  instanceUse: 0.6,
  minInstances: 2,
  connectionsPerInstance: 11,
  checkpointSeconds: 300,
};
const SERVER: Server = {
  cores: 16,
  use: 0.6,
  connections: 1_000,
  logBytesPerSecond: 200e6,
  diskBytes: 2e12,
};
const POPULATIONS = [10_000, 1_000_000, 10_000_000, 100_000_000];
const NETWORK_SECONDS = 0.000_25;
const MIN_SIMULATED_SECONDS = 30;
const MIN_REVOCATIONS = 200;

const habits = withArguments(HABITS);
const server = withArguments(SERVER);
const costs = await loadCosts();
const loads = POPULATIONS.map((users) => computeLoad(users, habits, costs));
const random = createRandom(1);

const introduction = createReport();
introduction.say(`Costs: ${costs.machine}. Assumed: ${describe(habits)}. One server: ${describe(server)}.`);
const parts = {
  load: printLoads(createReport()),
  limits: printLimits(createReport()),
  feeds: printFeedReads(createReport()),
  check: checkSimulation(createReport()),
  'fan-out': printFanOut(createReport()),
};
// With figures of somebody's own, the documents stay as they are.
if (process.argv.length === 2) {
  const all = [introduction, ...Object.values(parts)].map((part) => part.text());
  await writeSection('bench/README.md', 'scale', all.join('\n\n'));
  for (const [name, part] of Object.entries(parts)) {
    if (name !== 'check') await writeSection('docs/operations/scaling.md', `scale ${name}`, part.text());
  }
}

function printLoads(report: Report): Report {
  const table = (title: string, rows: Record<string, (load: Load) => number>) =>
    report.table(
      title,
      loads.map(({ users }) => `${users.toLocaleString('en')} users`),
      Object.entries(rows).map(([name, of]) => [name, ...loads.map(of)]),
    );
  table('At the peak', {
    'protected requests/s': (load) => load.requestsPerSecond,
    'refreshes/s': (load) => load.rotationsPerSecond,
    'sign-ins/s': (load) => load.signInsPerSecond,
    'revocations/s': (load) => load.revocationsPerSecond,
    'instances of one core': (load) => load.instances,
    'protected requests/s in each': (load) => load.requestsPerInstance,
    'cores for requests': (load) => load.instanceCores.requests,
    'cores for refreshes': (load) => load.instanceCores.refreshes,
    'cores for sign-ins (Argon2id)': (load) => load.instanceCores.signIns,
    'cores for the feeds': (load) => load.instanceCores.feed,
    'revoked sessions in memory': (load) => load.revokedInMemory,
    '… MB in each instance': (load) => load.revokedBytesPerInstance / 1e6,
  });
  table('Of the database at the peak', {
    'cores for refreshes': (load) => load.databaseCores.rotations,
    'cores for sign-ins': (load) => load.databaseCores.signIns,
    'cores for revocations': (load) => load.databaseCores.revocations,
    'cores for the feeds': (load) => load.databaseCores.feed,
    'cores for background jobs': (load) => load.databaseCores.housekeeping,
    'cores without a feed, each request querying': (load) => load.databaseCoresWithoutFeeds,
    'reads of the feeds/s': (load) => load.feedReads,
    'log MB/s': (load) => load.logBytesPerSecond / 1e6,
    'disk GB': (load) => load.diskBytes / 1e9,
    connections: (load) => load.connections,
    'in use in each instance, of 10': (load) => load.busyConnections,
    'hours for a walk over all sessions': (load) => load.walkHours,
  });
  return report;
}

function printLimits(report: Report): Report {
  const limits = createLimits(server, costs).map((limit) => ({
    ...limit,
    users: findUsersAt(limit, habits, costs),
  }));
  report.table(
    'Of one server, what is used at the peak, %',
    [...loads.map(({ users }) => `${users.toLocaleString('en')} users`), 'all of it at, million users'],
    limits
      .toSorted((a, b) => a.users - b.users)
      .map(({ name, usedBy, users }) => [name, ...loads.map((load) => 100 * usedBy(load)), users / 1e6]),
  );
  return report;
}

function printFeedReads(report: Report): Report {
  const instances = [2, 10, 50, 100, 500];
  const wakes = [0, 1, 10, 100, 1_000];
  report.table(
    'Reads of the feeds/s (cores of the database), by revocations/s',
    wakes.map((rate) => rate.toLocaleString('en')),
    instances.map((count) => [
      `${count} instances`,
      ...wakes.map((rate) => {
        const reads = count * countFeedReads(rate, costs);
        return `${showNumber(reads)} (${showNumber((reads * costs.wake.serverMicros) / 1e6)})`;
      }),
    ]),
  );
  return report;
}

/** The simulation of what was measured on this machine: one process for all instances, and a core for the server. */
function checkSimulation(report: Report): Report {
  const commitMs = 1_000 / costs.revokeSession.perSecond[1];
  report.table(
    'Measured, and simulated as it was measured: ms to the last follower',
    ['measured p50', 'p99', 'simulated p50', 'p99'],
    costs.measuredFanOut.map(({ followers, p50, p99 }) => {
      const simulated = simulate({
        instances: followers,
        revocationsPerSecond: 1,
        database: { cores: 1, use: 0 },
        networkSeconds: 0,
        instancesPerCore: followers,
        requests: { use: 0, seconds: 0 },
        seconds: 300,
      });
      return [`${followers} followers`, p50, p99, simulated.p50 + commitMs, simulated.p99 + commitMs];
    }),
  );
  return report;
}

function printFanOut(report: Report): Report {
  const requests = { use: habits.instanceUse, seconds: costs.request / 1e6 };
  const row = (title: string, instances: number, revocationsPerSecond: number, use: number) => {
    const { p50, p99, readsPerSecond, cores } = simulate({
      instances,
      revocationsPerSecond,
      database: { cores: server.cores, use },
      networkSeconds: NETWORK_SECONDS,
      instancesPerCore: 1,
      requests,
      seconds: Math.max(MIN_SIMULATED_SECONDS, MIN_REVOCATIONS / revocationsPerSecond),
    });
    return [title, instances, revocationsPerSecond, p50, p99, readsPerSecond, cores];
  };
  const columns = [
    'instances',
    'revocations/s',
    'ms to the last, p50',
    'p99',
    'reads/s',
    'cores of the database',
  ];
  report.table('From commit to rejection, simulated: populations', columns, [
    ...loads.map((load) => {
      const { rotations, signIns, revocations } = load.databaseCores;
      const use = Math.min(0.95, (rotations + signIns + revocations) / server.cores);
      return row(`${load.users.toLocaleString('en')} users`, load.instances, load.revocationsPerSecond, use);
    }),
  ]);
  report.table(
    'From commit to rejection, simulated: a half-used server',
    columns,
    [10, 100, 500].flatMap((instances) =>
      [1, 10, 100, 500].map((rate) => row(`${instances} × ${rate}`, instances, rate, 0.5)),
    ),
  );
  return report;
}

function simulate(settings: Omit<FanOutSettings, 'serverSeconds' | 'clientSeconds'>) {
  const { serverMicros, clientMicros } = costs.wake;
  return simulateFanOut(
    { ...settings, serverSeconds: serverMicros / 1e6, clientSeconds: clientMicros / 1e6 },
    random,
  );
}

/** With the values that the command line gives instead. */
function withArguments<T extends { [K in keyof T]: number }>(defaults: T): T {
  const given = process.argv.slice(2).map((argument) => argument.split('='));
  for (const [name = ''] of given)
    if (!(name in HABITS || name in SERVER)) throw new Error(`What is ${name}?`);
  return Object.fromEntries(
    Object.entries(defaults).map(([key, value]) => {
      const [, instead] = given.find(([name]) => name === key) ?? [];
      return [key, instead === undefined ? value : Number(instead)];
    }),
  ) as T; // the same keys, all numbers
}

function describe(settings: object): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
