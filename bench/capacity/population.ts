// Computes the load of a number of users in the busiest second of a day from measured costs.
import type { OperationCosts } from './measure-operations.ts';

/** How people use an application. Every value can be replaced on the command line. */
export const HABITS = {
  /** Share of all users who are active on a day. */
  activeShare: 0.3,
  sessionsPerUser: 2,
  /** Per active user and day. Each visit begins with a refresh. */
  visits: 5,
  requests: 200,
  signIns: 0.1,
  signOuts: 0.05,
  /** Busiest second by mean second. */
  peakFactor: 3,
  /** Share of a core that an instance uses at the peak. */
  instanceUse: 0.6,
  /** Connections of one instance: the pool, and one that listens. */
  connections: 11,
};
export type Habits = typeof HABITS;

/** CPU time in microseconds, except for bytes. */
export interface Costs {
  request: number;
  verifyPassword: number;
  operations: readonly OperationCosts[];
  bytesPerSession: number;
}

export interface Load {
  users: number;
  requestsPerSecond: number;
  refreshesPerSecond: number;
  signInsPerSecond: number;
  /** Instances of one core; at least two. */
  instances: number;
  /** Cores of the database server for refreshes, sign-ins and sign-outs, without the revocation feed. */
  databaseCores: number;
  connections: number;
  diskBytes: number;
}

const DAY_SECONDS = 24 * 60 * 60;

export function computeLoad(users: number, habits: Habits, costs: Costs): Load {
  const perSecond = (timesPerDay: number) =>
    (users * habits.activeShare * timesPerDay * habits.peakFactor) / DAY_SECONDS;
  const costOf = (name: string): OperationCosts => {
    const found = costs.operations.find((operation) => operation.name === name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  const requests = perSecond(habits.requests);
  const refreshes = perSecond(habits.visits);
  const signIns = perSecond(habits.signIns);
  const statements: [rate: number, operation: OperationCosts][] = [
    [refreshes, costOf('rotateSession')],
    [signIns, costOf('findUserByEmail')],
    [signIns, costOf('createSession')],
    [perSecond(habits.signOuts), costOf('revokeSession')],
  ];
  const instanceMicros =
    (requests + refreshes + signIns) * costs.request +
    signIns * costs.verifyPassword +
    sum(statements.map(([rate, { clientMicros }]) => rate * clientMicros));
  const instances = Math.max(2, Math.ceil(instanceMicros / 1e6 / habits.instanceUse));
  return {
    users,
    requestsPerSecond: requests,
    refreshesPerSecond: refreshes,
    signInsPerSecond: signIns,
    instances,
    databaseCores: sum(statements.map(([rate, { serverMicros = 0 }]) => rate * serverMicros)) / 1e6,
    connections: instances * habits.connections,
    diskBytes: users * habits.sessionsPerUser * costs.bytesPerSession,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
