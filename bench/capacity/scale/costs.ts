// The measured costs that the simulation reckons with.
import { loadMeasured } from '../../support/measured.ts';

export interface OperationCost {
  perSecond: { 1: number; 10: number };
  clientMicros: number;
  serverMicros: number;
  bytes: number;
  bytesAfterCheckpoint: number;
}

/** Of `bench/capacity/measured/store.json`. */
interface StoreFigures {
  machine: string;
  processor: { verifyPassword: number; signToken: number; verifyToken: number };
  postgres: {
    operations: Record<string, OperationCost>;
    sizes: { bytesPerSession: number; bytesPerUser: number }[];
    firstReads: { changes: number; ms?: number; bytesPerChange: number }[];
    fanOut: { followers: number; p50: number; p99: number; serverMicros: number; clientMicros: number }[];
  };
}

/** Of `bench/capacity/measured/growth.json`. */
interface GrowthFigures {
  requestCpuMicros: number;
  bytesPerRevokedSession: number;
}

export interface Costs {
  machine: string;
  /** CPU time in an instance, in microseconds. */
  request: number;
  verifyPassword: number;
  signToken: number;
  verifyToken: number;
  createSession: OperationCost;
  rotateSession: OperationCost;
  revokeSession: OperationCost;
  findUserByEmail: OperationCost;
  findSessionStatus: OperationCost;
  feedRead: OperationCost;
  /** 500 sessions looked at. */
  walk: OperationCost;
  takeLease: OperationCost;
  /** What one more follower adds to a revocation: it is woken, and reads. */
  wake: { serverMicros: number; clientMicros: number };
  bytesPerSession: number;
  bytesPerUser: number;
  bytesPerChange: number;
  bytesPerRevokedSession: number;
  measuredFanOut: StoreFigures['postgres']['fanOut'];
}

/** @throws Error where a bench that measures has not been run, or measured less */
export async function loadCosts(): Promise<Costs> {
  const store = await loadMeasured<StoreFigures>('store');
  const growth = await loadMeasured<GrowthFigures>('growth');
  const { operations, sizes, firstReads, fanOut } = store.postgres;
  const find = (start: string) => {
    const [, cost] = Object.entries(operations).find(([name]) => name.startsWith(start)) ?? [];
    if (cost === undefined) throw new Error(`bench/capacity/measured/store.json has no ${start}`);
    return cost;
  };
  const [size, changes, fewest, most] = [sizes.at(-1), firstReads.at(-1), fanOut[0], fanOut.at(-1)];
  if (!size || !changes || !fewest || !most)
    throw new Error('bench/capacity/measured/store.json lacks figures');
  const addedBy = (field: 'serverMicros' | 'clientMicros') =>
    (most[field] - fewest[field]) / (most.followers - fewest.followers);
  return {
    machine: store.machine,
    request: growth.requestCpuMicros,
    ...store.processor,
    createSession: find('createSession'),
    rotateSession: find('rotateSession'),
    revokeSession: find('revokeSession'),
    findUserByEmail: find('findUserByEmail'),
    findSessionStatus: find('findSessionStatus'),
    feedRead: find('read of the feed'),
    walk: find('removeEndedSessions'),
    takeLease: find('takeLease'),
    wake: { serverMicros: addedBy('serverMicros'), clientMicros: addedBy('clientMicros') },
    bytesPerSession: size.bytesPerSession,
    bytesPerUser: size.bytesPerUser,
    bytesPerChange: changes.bytesPerChange,
    bytesPerRevokedSession: growth.bytesPerRevokedSession,
    measuredFanOut: fanOut,
  };
}
