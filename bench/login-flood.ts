// One address sends 1,000 sign-ins a second, each with another email; how do sign-ins of another address fare? Exits
// with 1 if a goal is missed.
// Run: npm run login-flood --workspace bench [-- SECONDS]
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { serverEnv, startServerProcess, withFolder } from '../test/support/server-process.ts';
import { GOOD_PASSWORD } from '../test/support/test-server.ts';
import type { Flood, FloodResult } from './login-flood/flood.ts';
import { createSender } from './login-flood/sender.ts';
import { quantile } from './support/statistics.ts';
import { formatTable } from './support/table.ts';

const GOAL = { succeeded: 0.95, p99Ms: 1_000 };
const FLOOD_PER_SECOND = 1_000;
const OWNER_EVERY_MS = 250;
const WARM_UP_MS = 2_000;

const seconds = Number(process.argv[2] ?? 30);

interface Scene {
  title: string;
  env: Record<string, string>;
  /** Addresses of the flood and of the owner: of the socket, or as a proxy names them. */
  from(address: 'flood' | 'owner'): Pick<Flood, 'localAddress' | 'headers'>;
}

const SCENES: Scene[] = [
  {
    title: 'loopback: only the hashing queue',
    env: {},
    from: (address) => ({ localAddress: address === 'flood' ? '127.0.0.2' : '127.0.0.3', headers: {} }),
  },
  {
    title: 'behind a proxy: queue and limits',
    env: { BANDHA_TRUSTED_PROXIES: '127.0.0.0/8' },
    from: (address) => ({
      localAddress: '127.0.0.1',
      headers: { 'x-forwarded-for': address === 'flood' ? '198.51.100.1' : '203.0.113.1' },
    }),
  },
];

const results = [];
for (const scene of SCENES) results.push(await withFolder((folder) => run(scene, folder)));
const columns = ['sign-ins', 'succeeded', 'p50, ms', 'p99, ms', 'flood, /s', 'hashed, /s', 'errors'];
console.log(formatTable('Sign-ins of one address beside a flood from another', columns, results.map(toRow)));
const isMet = results.every(({ share, p99 }) => share >= GOAL.succeeded && p99 < GOAL.p99Ms);
console.log(
  `Goal: at least ${100 * GOAL.succeeded} % succeed, p99 under ${GOAL.p99Ms} ms: ${isMet ? 'met' : 'MISSED'}.`,
);
process.exitCode = isMet ? 0 : 1;

type Result = Awaited<ReturnType<typeof run>>;

async function run({ title, env, from }: Scene, folder: string) {
  const server = await startServerProcess(serverEnv(folder, env), folder);
  const owner = createSender({ url: server.url, ...from('owner') });
  try {
    const account = { email: 'owner@example.com', password: GOOD_PASSWORD };
    const registered = await owner.send('register', account);
    if (registered !== 'OK') throw new Error(`The owner cannot register: ${registered}`);
    const flood = startFlood({ url: server.url, ...from('flood'), perSecond: FLOOD_PER_SECOND });
    await wait(WARM_UP_MS);
    const signIns: Promise<{ outcome: string; milliseconds: number }>[] = [];
    for (let i = 0; i < (seconds * 1000) / OWNER_EVERY_MS; i += 1) {
      signIns.push(timed(() => owner.send('login', account)));
      await wait(OWNER_EVERY_MS);
    }
    const done = await Promise.all(signIns);
    const flooded = await flood.stop();
    const times = done.map(({ milliseconds }) => milliseconds);
    return {
      title,
      count: done.length,
      share: done.filter(({ outcome }) => outcome === 'OK').length / done.length,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      flooded,
    };
  } finally {
    owner.close();
    await server.stop();
  }
}

async function timed(send: () => Promise<string>) {
  const startedAt = performance.now();
  const outcome = await send();
  return { outcome, milliseconds: performance.now() - startedAt };
}

/** On a thread of its own, so that it does not hold up the owner's clock. */
function startFlood(flood: Flood) {
  const worker = new Worker(new URL('./login-flood/flood.ts', import.meta.url), { workerData: flood });
  const result = new Promise<FloodResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    async stop() {
      worker.postMessage('stop');
      const flooded = await result;
      await worker.terminate();
      return flooded;
    },
  };
}

function toRow({ title, count, share, p50, p99, flooded }: Result) {
  const { sent, seconds: took, outcomes } = flooded;
  const { INVALID_CREDENTIALS: hashed = 0, RATE_LIMITED: limited = 0 } = outcomes;
  const others = Object.values(outcomes).reduce((sum, one) => sum + one, 0) - hashed - limited;
  return [title, count, `${(100 * share).toFixed(1)} %`, p50, p99, sent / took, hashed / took, others];
}
