// At how many users something of one PostgreSQL server is used up.
import type { Costs } from './costs.ts';
import { computeLoad, type Habits, type Load } from './population.ts';

export interface Server {
  cores: number;
  /** How far they are to be used at the peak. */
  use: number;
  /** What `max_connections` is set to. */
  connections: number;
  /** What the disk takes all the time, for the log alone. */
  logBytesPerSecond: number;
  diskBytes: number;
}

export interface Limit {
  name: string;
  /** Of what there is; 1 is all. */
  usedBy(load: Load): number;
}

export function createLimits(server: Server, costs: Costs): Limit[] {
  const cores = ({ databaseCores }: Load) => Object.values(databaseCores).reduce((a, b) => a + b, 0);
  return [
    { name: 'processors', usedBy: (load) => cores(load) / (server.cores * server.use) },
    { name: 'connections without a pooler', usedBy: (load) => load.connections / server.connections },
    {
      name: 'commits that notify, one at a time',
      usedBy: (load) => load.revocationsPerSecond / costs.revokeSession.perSecond[10],
    },
    { name: 'log', usedBy: (load) => load.logBytesPerSecond / server.logBytesPerSecond },
    { name: 'disk', usedBy: (load) => load.diskBytes / server.diskBytes },
    { name: 'walk over all sessions within the hour', usedBy: (load) => load.walkHours },
  ];
}

/** Everything here grows with the users. */
export function findUsersAt({ usedBy }: Limit, habits: Habits, costs: Costs): number {
  let [low, high] = [1, 1e12];
  while (high / low > 1.001) {
    const middle = Math.sqrt(low * high);
    if (usedBy(computeLoad(middle, habits, costs)) > 1) high = middle;
    else low = middle;
  }
  return low;
}
