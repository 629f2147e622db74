// What a revocation costs when many instances hear of it.
import type { Store } from '../../../src/storage/store.ts';
import { type Latency, measureLatency, openFollowers } from './latency.ts';
import { runFor } from './measure-operations.ts';
import { revoke, type TakeSession } from './operations.ts';

export interface FanOut extends Latency {
  followers: number;
  /** CPU time for one revocation alone, on the server and in the one process that all followers share. */
  serverMicros: number | undefined;
  clientMicros: number;
  /** Ten at a time, as many as there can be. */
  perSecond: number;
}

export interface FanOutOptions {
  store: Store;
  takeSession: TakeSession;
  revocations: number;
  serverCpu: (() => number) | undefined;
}

const PAUSE_MS = 20;
const BURST_MS = 1_500;

export async function measureFanOut(
  url: string,
  count: number,
  { store, takeSession, revocations, serverCpu }: FanOutOptions,
): Promise<FanOut> {
  const followers = await openFollowers(url, count);
  try {
    const serverBefore = serverCpu?.() ?? 0;
    const clientBefore = process.cpuUsage();
    const latency = await measureLatency({ store, takeSession, followers, revocations, pauseMs: PAUSE_MS });
    const { user, system } = process.cpuUsage(clientBefore);
    const serverMicros = serverCpu && (serverCpu() - serverBefore) / revocations;
    const burst = await runFor(BURST_MS, { run: () => revoke(store, takeSession()) }, 10, undefined);
    return {
      followers: count,
      ...latency,
      serverMicros,
      clientMicros: (user + system) / revocations,
      perSecond: (burst.count / burst.ms) * 1000,
    };
  } finally {
    await followers.close();
  }
}
