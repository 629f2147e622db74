// The way of a revocation to the last of many instances, event by event. Times in seconds.
import { quantile } from '../../support/statistics.ts';
import { createEventQueue } from './event-queue.ts';

export interface FanOutSettings {
  instances: number;
  revocationsPerSecond: number;
  /** Of the database; `use` is what everything but the feeds takes of them. */
  database: { cores: number; use: number };
  /** What a woken instance's read costs on the server, and in the instance. */
  serverSeconds: number;
  clientSeconds: number;
  /** One way. */
  networkSeconds: number;
  /** How many instances have one processor together: 1, but in a bench that has only one process. */
  instancesPerCore: number;
  /** How far the core of an instance is used by requests, and how long one takes. */
  requests: { use: number; seconds: number };
  /** Simulated time. */
  seconds: number;
}

export interface SimulatedFanOut {
  /** Milliseconds from the commit to the refusal in the last instance. */
  p50: number;
  p99: number;
  readsPerSecond: number;
  /** Cores of the database that the feeds take. */
  cores: number;
}

/** Of src/storage/postgres/feed.ts. */
const PACE_SECONDS = 0.005;
const HEARTBEAT_SECONDS = 1;
/** What begins before is not counted. */
const WARM_UP_SECONDS = 2;

interface Revocation {
  committedAt: number;
  missing: number;
  lastAt: number;
}

export function simulateFanOut(settings: FanOutSettings, random: () => number): SimulatedFanOut {
  const { instances, revocationsPerSecond, database, networkSeconds, requests, seconds } = settings;
  const events = createEventQueue();
  const useDatabase = createProcessors(database.cores);
  const clients = Array.from({ length: Math.ceil(instances / settings.instancesPerCore) }, () =>
    createProcessors(1),
  );
  // Everything else that the server does slows the reads down.
  const serverSeconds = settings.serverSeconds / (1 - database.use);
  const exponential = (mean: number) => -mean * Math.log(1 - random());
  const revocations: Revocation[] = [];
  let reads = 0;

  const wakes = Array.from({ length: instances }, (_, index) => {
    const useClient = clients[Math.floor(index / settings.instancesPerCore)] ?? createProcessors(1);
    let isWaiting = false;
    let isWoken = false;
    /** The first revocation that it has not heard of. */
    let unheard = 0;
    let waits = 0;

    const read = (at: number) => {
      isWaiting = false;
      isWoken = false;
      events.add(at + networkSeconds, (arrivedAt) => {
        const { from, until } = useDatabase(arrivedAt, serverSeconds);
        reads += 1;
        events.add(until + networkSeconds, (answeredAt) => {
          const { until: told } = useClient(answeredAt, settings.clientSeconds);
          events.add(told, (toldAt) => hear(from, toldAt));
        });
      });
    };
    /** What was committed when the read's snapshot was taken. */
    const hear = (snapshotAt: number, at: number) => {
      for (let one = revocations[unheard]; one && one.committedAt <= snapshotAt; one = revocations[unheard]) {
        const turn = random() < requests.use ? exponential(requests.seconds / (1 - requests.use)) : 0;
        one.missing -= 1;
        one.lastAt = Math.max(one.lastAt, at + turn);
        unheard += 1;
      }
      events.add(at + PACE_SECONDS, wait);
    };
    const wait = (at: number) => {
      if (isWoken) return read(at);
      isWaiting = true;
      waits += 1;
      const own = waits;
      events.add(at + HEARTBEAT_SECONDS, (later) => {
        if (isWaiting && own === waits) read(later);
      });
    };
    wait(random() * HEARTBEAT_SECONDS);
    return (at: number) => {
      if (isWaiting) read(at);
      else isWoken = true;
    };
  });

  const revoke = (at: number) => {
    revocations.push({ committedAt: at, missing: instances, lastAt: 0 });
    for (const wake of wakes) events.add(at + networkSeconds, wake);
    events.add(at + exponential(1 / revocationsPerSecond), revoke);
  };
  revoke(exponential(1 / revocationsPerSecond));
  events.runUntil(seconds);

  const times = revocations
    .filter(({ committedAt, missing }) => committedAt > WARM_UP_SECONDS && missing === 0)
    .map(({ committedAt, lastAt }) => (lastAt - committedAt) * 1000);
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    readsPerSecond: reads / seconds,
    cores: (reads * settings.serverSeconds) / seconds,
  };
}

/** So many processors with one line before them; each task is done at once where one is free. */
function createProcessors(count: number) {
  const freeAt = new Float64Array(count);
  return (at: number, seconds: number): { from: number; until: number } => {
    const first = freeAt.indexOf(Math.min(...freeAt));
    const from = Math.max(at, freeAt[first] ?? 0);
    freeAt[first] = from + seconds;
    return { from, until: from + seconds };
  };
}

/** Numbers from 0 to 1, the same at each run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
