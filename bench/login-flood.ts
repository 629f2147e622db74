// One address sends 1,000 sign-ins a second, each with another email: can another address still sign in?
// Run: npm run login-flood --workspace bench [-- SECONDS]   Exits with 1 if a goal is missed.
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { serverEnv, withFolder } from '../test/support/server-process.ts';
import { GOOD_PASSWORD } from '../test/support/test-server.ts';
import { type Flood, type FloodResult, LOGIN, toOutcome } from './login-flood/flood.ts';
import { type ClientOptions, createClient } from './support/http.ts';
import { BANDHA_SERVE, startServer } from './support/server.ts';
import { quantile } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

interface Scene {
  title: string;
  env: Record<string, string>;
  /** Set the client address: of the socket, or in a proxy's header. */
  flood: ClientOptions;
  owner: ClientOptions;
}

const GOAL = { succeeded: 0.95, p99Ms: 1_000 };
const FLOOD_PER_SECOND = 1_000;
const OWNER_INTERVAL_MS = 250;
const WARM_UP_MS = 2_000;
const ACCOUNT = { email: 'owner@example.com', password: GOOD_PASSWORD };
const SCENES: Scene[] = [
  {
    title: 'loopback: only the hashing queue',
    env: {},
    flood: { localAddress: '127.0.0.2' },
    owner: { localAddress: '127.0.0.3' },
  },
  {
    title: 'behind a proxy: queue and limits',
    env: { BANDHA_TRUSTED_PROXIES: '127.0.0.0/8' },
    flood: { headers: { 'x-forwarded-for': '198.51.100.1' } },
    owner: { headers: { 'x-forwarded-for': '203.0.113.1' } },
  },
];

const seconds = Number(process.argv[2] ?? 30);
const results = [];
for (const scene of SCENES) results.push(await withFolder((folder) => run(scene, folder)));
const columns = ['sign-ins', 'succeeded', 'p50, ms', 'p99, ms', 'flood, /s', 'hashed, /s', 'errors'];
console.log(formatTable('Sign-ins of one address beside a flood from another', columns, results.map(toRow)));
const isMet = results.every(({ share, p99 }) => share >= GOAL.succeeded && p99 < GOAL.p99Ms);
console.log(
  `Goal: at least ${100 * GOAL.succeeded} % succeed, p99 under ${GOAL.p99Ms} ms: ${isMet ? 'met' : 'MISSED'}.`,
);
process.exitCode = isMet ? 0 : 1;

async function run(scene: Scene, folder: string) {
  const server = await startServer(BANDHA_SERVE, serverEnv(folder, scene.env));
  const unlimited = { maxConnections: Number.POSITIVE_INFINITY };
  const owner = createClient(server.origin, { ...unlimited, ...scene.owner });
  try {
    const registered = await toOutcome(owner.send(LOGIN.replace('login(', 'register('), ACCOUNT));
    if (registered !== 'OK') throw new Error(`The owner cannot register: ${registered}`);
    const flood = startFlood({
      ...unlimited,
      ...scene.flood,
      origin: server.origin,
      perSecond: FLOOD_PER_SECOND,
    });
    await wait(WARM_UP_MS);
    const signIns: Promise<{ outcome: string; ms: number }>[] = [];
    for (let i = 0; i < (seconds * 1000) / OWNER_INTERVAL_MS; i += 1) {
      const startedAt = performance.now();
      const signIn = toOutcome(owner.send(LOGIN, ACCOUNT));
      signIns.push(signIn.then((outcome) => ({ outcome, ms: performance.now() - startedAt })));
      await wait(OWNER_INTERVAL_MS);
    }
    const done = await Promise.all(signIns);
    const times = done.map(({ ms }) => ms);
    return {
      title: scene.title,
      count: done.length,
      share: done.filter(({ outcome }) => outcome === 'OK').length / done.length,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      flood: await flood.stop(),
    };
  } finally {
    owner.close();
    await server.stop();
  }
}

/** Uses a thread of its own, so that it does not delay the owner's measurements. */
function startFlood(flood: Flood) {
  const worker = new Worker(new URL('./login-flood/flood.ts', import.meta.url), { workerData: flood });
  const result = new Promise<FloodResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    async stop() {
      worker.postMessage('stop');
      await result;
      await worker.terminate();
      return result;
    },
  };
}

function toRow({ title, count, share, p50, p99, flood }: Awaited<ReturnType<typeof run>>) {
  const { sent, seconds, outcomes } = flood;
  const { INVALID_CREDENTIALS: hashed = 0, RATE_LIMITED: limited = 0 } = outcomes;
  const errors = Object.values(outcomes).reduce((sum, one) => sum + one, 0) - hashed - limited;
  return [title, count, `${(100 * share).toFixed(1)} %`, p50, p99, sent / seconds, hashed / seconds, errors];
}
