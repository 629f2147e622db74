// What a population asks of instances and of their database at the day's peak: arithmetic on measured costs.
import type { Costs, OperationCost } from './costs.ts';

/** How people use it: the figures to replace by one's own. */
export interface Habits {
  /** Of all users, those who come on a day. */
  activeShare: number;
  /** In the store: devices, and sessions that have ended but are still kept. */
  sessionsPerUser: number;
  /** Of an active user in a day; each begins with a refresh, and goes on with one a token's lifetime. */
  visits: number;
  visitSeconds: number;
  signIns: number;
  signOuts: number;
  requests: number;
  /** The busiest second to the mean one. */
  peakFactor: number;
  accessTtlSeconds: number;
  /** How far the one core of an instance is used at the peak. */
  instanceUse: number;
  /** What an instance is at least: one may fail. */
  minInstances: number;
  /** Connections of an instance to the database, the one that listens among them. */
  connectionsPerInstance: number;
  checkpointSeconds: number;
}

export interface Load {
  users: number;
  requestsPerSecond: number;
  rotationsPerSecond: number;
  signInsPerSecond: number;
  revocationsPerSecond: number;
  instances: number;
  requestsPerInstance: number;
  /** Cores of the instances, by what takes them. */
  instanceCores: { requests: number; refreshes: number; signIns: number; feed: number };
  feedReadsPerInstance: number;
  feedReads: number;
  connections: number;
  /** Of an instance's connections, how many are in use on average. */
  busyConnections: number;
  databaseCores: {
    rotations: number;
    signIns: number;
    revocations: number;
    feed: number;
    housekeeping: number;
  };
  /** Where no feed has been heard for 5 seconds, and every protected request asks the store. */
  databaseCoresWithoutFeeds: number;
  /** Pages written to for the first time since a checkpoint go into the log whole. */
  logBytesPerSecond: number;
  diskBytes: number;
  revokedInMemory: number;
  revokedBytesPerInstance: number;
  walkHours: number;
}

const DAY_SECONDS = 24 * 60 * 60;
const PAGE_BYTES = 8_192;
/** Of src/storage/postgres/feed.ts. */
const PACE_SECONDS = 0.005;
const HEARTBEAT_SECONDS = 1;
/** Of src/tokens/revocation/expiring-map.ts. */
const MARGIN_SECONDS = 60;
/** Of src/operations/background-jobs.ts. */
const WALK_PAUSE_SECONDS = 0.02;
const WALK_BATCH = 500;
const KEEP_SECONDS = DAY_SECONDS;

export function computeLoad(users: number, habits: Habits, costs: Costs): Load {
  const perSecond = (timesADay: number) =>
    (users * habits.activeShare * timesADay * habits.peakFactor) / DAY_SECONDS;
  const refreshes = habits.visits * Math.max(1, Math.ceil(habits.visitSeconds / habits.accessTtlSeconds));
  const requestsPerSecond = perSecond(habits.requests);
  const rotationsPerSecond = perSecond(refreshes);
  const signInsPerSecond = perSecond(habits.signIns);
  const revocationsPerSecond = perSecond(habits.signOuts);

  const feedReadsPerInstance = countFeedReads(revocationsPerSecond, costs);
  const core = (rate: number, ...micros: number[]) => (rate * sum(micros)) / 1e6;
  const { request, verifyPassword, signToken, verifyToken } = costs;
  const { createSession, rotateSession, revokeSession, findUserByEmail, feedRead } = costs;
  const work = {
    requests: core(requestsPerSecond, request),
    // A new token is verified by whoever sees it first; each instance sees it for itself at worst, one of them here.
    refreshes: core(rotationsPerSecond, request, rotateSession.clientMicros, signToken, verifyToken),
    signIns: core(
      signInsPerSecond,
      request,
      verifyPassword,
      findUserByEmail.clientMicros,
      createSession.clientMicros,
      signToken,
      verifyToken,
    ),
  };
  const feedOfOne = core(feedReadsPerInstance, feedRead.clientMicros);
  const instances = Math.max(
    habits.minInstances,
    Math.ceil(sum(Object.values(work)) / (habits.instanceUse - feedOfOne)),
  );
  const feedReads = feedReadsPerInstance * instances;

  const sessions = users * habits.sessionsPerUser;
  const walks = sessions / WALK_BATCH;
  const walkSeconds =
    walks * (WALK_PAUSE_SECONDS + 1 / costs.walk.perSecond[1] + 1 / costs.takeLease.perSecond[1]);
  const changes = (revocationsPerSecond / habits.peakFactor) * KEEP_SECONDS;
  const diskBytes =
    users * costs.bytesPerUser + sessions * costs.bytesPerSession + changes * costs.bytesPerChange;
  const written: [number, OperationCost][] = [
    [rotationsPerSecond, rotateSession],
    [signInsPerSecond, createSession],
    [revocationsPerSecond, revokeSession],
  ];
  return {
    users,
    requestsPerSecond,
    rotationsPerSecond,
    signInsPerSecond,
    revocationsPerSecond,
    instances,
    requestsPerInstance: requestsPerSecond / instances,
    instanceCores: { ...work, feed: feedOfOne * instances },
    feedReadsPerInstance,
    feedReads,
    connections: instances * habits.connectionsPerInstance,
    busyConnections:
      (rotationsPerSecond / rotateSession.perSecond[1] +
        signInsPerSecond / createSession.perSecond[1] +
        signInsPerSecond / findUserByEmail.perSecond[1] +
        revocationsPerSecond / revokeSession.perSecond[1]) /
      instances,
    databaseCores: {
      rotations: core(rotationsPerSecond, rotateSession.serverMicros),
      signIns: core(signInsPerSecond, createSession.serverMicros, findUserByEmail.serverMicros),
      revocations: core(revocationsPerSecond, revokeSession.serverMicros),
      feed: core(feedReads, costs.wake.serverMicros),
      housekeeping: core(1, (walks * (costs.walk.serverMicros + costs.takeLease.serverMicros)) / walkSeconds),
    },
    databaseCoresWithoutFeeds: core(requestsPerSecond, costs.findSessionStatus.serverMicros),
    logBytesPerSecond: computeLog(written, diskBytes, habits.checkpointSeconds),
    diskBytes,
    revokedInMemory: revocationsPerSecond * (habits.accessTtlSeconds + MARGIN_SECONDS),
    revokedBytesPerInstance:
      revocationsPerSecond * (habits.accessTtlSeconds + MARGIN_SECONDS) * costs.bytesPerRevokedSession,
    walkHours: walkSeconds / 3600,
  };
}

/** An instance reads, keeps its pace, and waits until it is woken, or for the heartbeat. */
export function countFeedReads(wakesPerSecond: number, { feedRead }: Pick<Costs, 'feedRead'>): number {
  const busy = PACE_SECONDS + (feedRead.clientMicros + feedRead.serverMicros) / 1e6;
  if (wakesPerSecond === 0) return 1 / (busy + HEARTBEAT_SECONDS);
  const isQuiet = Math.exp(-wakesPerSecond * busy);
  const wait = (isQuiet * (1 - Math.exp(-wakesPerSecond * HEARTBEAT_SECONDS))) / wakesPerSecond;
  return 1 / (busy + wait);
}

/** With the images of those pages that an interval between checkpoints touches for the first time. */
function computeLog(
  written: readonly [number, OperationCost][],
  diskBytes: number,
  checkpointSeconds: number,
): number {
  const imageBytes = (cost: OperationCost) => Math.max(0, cost.bytesAfterCheckpoint - cost.bytes);
  const touches =
    (sum(written.map(([rate, cost]) => rate * imageBytes(cost))) * checkpointSeconds) / PAGE_BYTES;
  const pages = diskBytes / PAGE_BYTES;
  const x = touches / pages;
  const firstShare = x === 0 ? 1 : (1 - Math.exp(-x)) / x;
  return sum(written.map(([rate, cost]) => rate * (cost.bytes + firstShare * imageBytes(cost))));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
