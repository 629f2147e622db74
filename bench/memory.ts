// Can a caller without an account fill the memory of a server, or delay other callers?
// Run: npm run memory --workspace bench [-- COUNT]   COUNT of documents for each kind of request, @default 1000
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import {
  type CreateRequest,
  DENIED,
  DOCUMENTS,
  MULTIPART,
  type StatusCounts,
  sendAll,
  sendUnfinished,
} from './memory/attacks.ts';
import { createReport, writeSection } from './support/report.ts';
import { BANDHA_SERVE, checkHealthDuring, type ServerProcess, startServer } from './support/server.ts';
import { quantile } from './support/statistics.ts';

const HEAP_MEGABYTES = 512;
const MAX_GROWTH_MEGABYTES = 60;
/** With 3,000 connections, their buffers and 32 MB of bodies. */
const MAX_BODIES_MEGABYTES = 200;
const MAX_HEALTH_MS = 100;
const HEALTH_INTERVAL_MS = 10;
const CHECKS_PER_MEMORY_READING = 20;
/** Requests of each kind, so that hot code is compiled. */
const WARM_UP_REQUESTS = 20;
const CONNECTIONS = 3_000;
const BYTES_PER_CONNECTION = 90_000;
/** Results of shorter runs are not written to the page. */
const MIN_WRITTEN_COUNT = 100;
const OWN_YOGA = [process.execPath, resolve(import.meta.dirname, 'memory/own-yoga.ts')];
const ENV = {
  PATH: process.env.PATH,
  PORT: '0',
  DATABASE_URL: 'sqlite::memory:',
  BANDHA_SECRET: randomBytes(32).toString('base64'),
  NODE_OPTIONS: `--max-old-space-size=${HEAP_MEGABYTES}`,
};

const count = Number(process.argv[2] ?? 1_000);
const report = createReport();
report.say(
  `\`bandha serve\` and an application's own Yoga server with \`bandha.plugins\`, each with a heap of ${HEAP_MEGABYTES} MB. ${count.toLocaleString('en')} different documents of up to 10,000 tokens for each kind of request, half of them invalid, two at a time.`,
);
const rows: (string | number)[][] = [];
let isMet = true;
let next = 0;

await withServer(
  BANDHA_SERVE,
  '`bandha serve`',
  [...Object.values(DOCUMENTS), DENIED],
  async (server, idle) => {
    for (const [name, create] of Object.entries({ ...DOCUMENTS, 'denied operations': DENIED })) {
      await measure(name, server, idle, () => sendNext(server, count, create));
    }
    const attack = () => sendUnfinished(server.port, CONNECTIONS, BYTES_PER_CONNECTION);
    const name = `${CONNECTIONS} bodies of ${BYTES_PER_CONNECTION} bytes that never end`;
    await measure(name, server, idle, attack, MAX_BODIES_MEGABYTES);
  },
);
await withServer(
  OWN_YOGA,
  'The own Yoga server',
  [...Object.values(DOCUMENTS), MULTIPART],
  async (server, idle) => {
    const post = DOCUMENTS['POST, long document'] ?? MULTIPART;
    await measure('own Yoga: POST', server, idle, () => sendNext(server, count, post));
    await measure('own Yoga: multipart', server, idle, () => sendNext(server, count, MULTIPART));
  },
);

report.table(
  'Attack',
  ['responses', 'growth, MB', 'at its peak, MB', '/health/live, median ms', 'p99 ms'],
  rows,
);
report.say(
  `${isMet ? 'Within' : '**Not** within'} the goal: resident memory grows by less than ${MAX_GROWTH_MEGABYTES} MB over all documents and denied operations, by less than ${MAX_BODIES_MEGABYTES} MB with ${CONNECTIONS.toLocaleString('en')} unfinished bodies, and /health/live responds within ${MAX_HEALTH_MS} ms (p99).`,
);
if (count >= MIN_WRITTEN_COUNT) await writeSection('bench/README.md', 'memory', report.text());
if (!isMet) process.exitCode = 1;

/** Starts a server, warms it up, and measures its memory at rest. */
async function withServer(
  command: readonly string[],
  title: string,
  kinds: readonly CreateRequest[],
  use: (server: ServerProcess, idleMegabytes: number) => Promise<void>,
): Promise<void> {
  const server = await startServer(command, ENV);
  try {
    for (const create of kinds) await sendNext(server, WARM_UP_REQUESTS, create);
    const idleMegabytes = readMegabytes(server);
    report.say(`${title} at rest, warmed up: ${idleMegabytes.toFixed(0)} MB.`);
    await use(server, idleMegabytes);
  } finally {
    await server.stop();
  }
}

async function sendNext(
  { origin }: ServerProcess,
  count: number,
  create: CreateRequest,
): Promise<StatusCounts> {
  const from = next;
  next += count;
  return sendAll(origin, { from, count, create });
}

async function measure(
  name: string,
  server: ServerProcess,
  idleMegabytes: number,
  attack: () => Promise<StatusCounts>,
  maxGrowth = MAX_GROWTH_MEGABYTES,
): Promise<void> {
  let statuses: StatusCounts = new Map();
  let peak = 0;
  const onCheck = (checks: number) => {
    if (checks % CHECKS_PER_MEMORY_READING === 1) peak = Math.max(peak, readMegabytes(server));
  };
  const times = await checkHealthDuring(server, { intervalMs: HEALTH_INTERVAL_MS, onCheck }, async () => {
    statuses = await attack();
  });
  const growth = readMegabytes(server) - idleMegabytes;
  const p99 = quantile(times, 0.99);
  isMet &&= growth < maxGrowth && p99 < MAX_HEALTH_MS;
  const shown = [...statuses].map(([status, times]) => `${times} × ${status || 'closed'}`).join(', ');
  const row = [name, shown, growth, peak - idleMegabytes, quantile(times, 0.5), p99];
  rows.push(row);
  console.error(row.join(' | ')); // a full run takes minutes
}

/** Resident memory. */
function readMegabytes({ pid }: ServerProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) / 1024;
}
