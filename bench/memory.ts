// Can a caller without an account fill the memory of a server, or keep others waiting?
// Run: npm run memory --workspace bench [-- COUNT]   COUNT of documents by each way, 1,000 unless given
import { resolve } from 'node:path';
import { DENIED, DOCUMENTS, MULTIPART, sendAll, sendUnfinished } from './memory/attacks.ts';
import { type Attacked, startAttacked } from './memory/server.ts';
import { createReport, writeSection } from './support/report.ts';
import { quantile } from './support/statistics.ts';

const HEAP_MEGABYTES = 512;
const MAX_GROWTH_MEGABYTES = 60;
/** With 3,000 connections, their buffers and 32 MB of bodies. */
const MAX_BODIES_MEGABYTES = 200;
const MAX_HEALTH_MS = 100;
/** Of each way, until what is compiled on the way is compiled. */
const WARM_UP = 20;
const CONNECTIONS = 3_000;
const BYTES_A_CONNECTION = 90_000;

/** A shorter run tells too little to be written down. */
const MIN_WRITTEN_COUNT = 100;
const count = Number(process.argv[2] ?? 1_000);
const report = createReport();
report.say(
  `\`bandha serve\` and an own Yoga server with \`bandha.plugins\`, each with a heap of ${HEAP_MEGABYTES} MB. ${count.toLocaleString('en')} different documents of up to 10,000 tokens by each way, half of them invalid, two at a time.`,
);

const MAIN = resolve(import.meta.dirname, '../src/cli.ts');
const OWN = resolve(import.meta.dirname, 'memory/own-yoga.ts');
const toMegabytes = (bytes: number) => bytes / 2 ** 20;
const showStatuses = (statuses: ReadonlyMap<number, number>) =>
  [...statuses].map(([status, times]) => `${times} × ${status || 'closed'}`).join(', ');

const rows: (string | number)[][] = [];
let isWithin = true;
let next = 0;

/** Measures one attack on a server that has `idleBytes` before all of them. */
async function measure(
  name: string,
  server: Attacked,
  {
    idleBytes,
    attack,
    maxGrowth = MAX_GROWTH_MEGABYTES,
  }: { idleBytes: number; attack: () => Promise<ReadonlyMap<number, number>>; maxGrowth?: number },
): Promise<void> {
  let statuses: ReadonlyMap<number, number> = new Map();
  const { healthMs, peakBytes } = await server.during(async () => {
    statuses = await attack();
  });
  const growth = toMegabytes((await server.rssBytes()) - idleBytes);
  const p99 = quantile(healthMs, 0.99);
  isWithin &&= growth < maxGrowth && p99 < MAX_HEALTH_MS;
  const row = [
    name,
    showStatuses(statuses),
    growth,
    toMegabytes(peakBytes - idleBytes),
    quantile(healthMs, 0.5),
    p99,
  ];
  rows.push(row);
  console.error(row.join(' | ')); // a full run takes minutes
}

/** Requests of every kind, and then the memory of the server at rest. */
async function warmUp(server: Attacked, ways: readonly ((i: number) => object)[]): Promise<number> {
  for (const make of ways) {
    await sendAll(server.port, { from: next, count: WARM_UP, make });
    next += WARM_UP;
  }
  return server.rssBytes();
}

async function attackWith(server: Attacked, idleBytes: number, name: string, make: (i: number) => object) {
  const from = next;
  next += count;
  await measure(name, server, { idleBytes, attack: () => sendAll(server.port, { from, count, make }) });
}

const serve = await startAttacked([MAIN, 'serve'], HEAP_MEGABYTES);
try {
  const idle = await warmUp(serve, [...Object.values(DOCUMENTS), DENIED]);
  report.say(`\`bandha serve\` at rest, warmed up: ${toMegabytes(idle).toFixed(0)} MB.`);
  for (const [name, make] of Object.entries(DOCUMENTS)) await attackWith(serve, idle, name, make);
  await attackWith(serve, idle, 'denied operations', DENIED);
  await measure(`${CONNECTIONS} bodies of ${BYTES_A_CONNECTION} bytes that never end`, serve, {
    idleBytes: idle,
    maxGrowth: MAX_BODIES_MEGABYTES,
    attack: () => sendUnfinished(serve.port, CONNECTIONS, BYTES_A_CONNECTION),
  });
} finally {
  await serve.stop();
}
const own = await startAttacked([OWN], HEAP_MEGABYTES);
try {
  const idle = await warmUp(own, [...Object.values(DOCUMENTS), MULTIPART]);
  report.say(`The own Yoga server at rest, warmed up: ${toMegabytes(idle).toFixed(0)} MB.`);
  await attackWith(own, idle, 'own Yoga: POST', DOCUMENTS['POST, long document'] ?? MULTIPART);
  await attackWith(own, idle, 'own Yoga: multipart', MULTIPART);
} finally {
  await own.stop();
}

report.table(
  'Attack',
  ['answers', 'growth, MB', 'at its peak, MB', '/health/live, median ms', 'p99 ms'],
  rows,
);
report.say(
  `${isWithin ? 'Within' : '**Not** within'} the goal: resident memory grows by less than ${MAX_GROWTH_MEGABYTES} MB over all documents and denied operations, by less than ${MAX_BODIES_MEGABYTES} MB with ${CONNECTIONS.toLocaleString('en')} unfinished bodies, and /health/live answers within ${MAX_HEALTH_MS} ms (p99).`,
);
if (count >= MIN_WRITTEN_COUNT) await writeSection('bench/README.md', 'memory', report.text());
if (!isWithin) process.exitCode = 1;
