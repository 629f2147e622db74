// From a revocation on one store to the listener of another.
import { setTimeout as wait } from 'node:timers/promises';
import type { StoreOptions } from '../../../src/storage/engine.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { quantile } from '../../support/statistics.ts';
import { revoke, type TakeSession } from './operations.ts';

export interface Latency {
  /** Milliseconds from the call of `revokeSession` to the listener, in the last of the followers. */
  p50: number;
  p99: number;
}

export interface Followers {
  count: number;
  close(): Promise<void>;
  /** Resolves when all have heard of the session, to the moment, by `performance.now()`. */
  heard(sessionId: string): Promise<number>;
}

/** Opens so many stores on one database, each as an instance has it. */
export async function openFollowers(
  url: string,
  count: number,
  options: StoreOptions = {},
): Promise<Followers> {
  const stores: Store[] = [];
  const waiting = new Map<string, { missing: number; resolve: (at: number) => void }>();
  for (let i = 0; i < count; i += 1) {
    const store = await openStore(url, { ...options, poolSize: 1 });
    stores.push(store);
    const told = new Set<string>();
    await store.subscribe(
      (change) => {
        if (change.kind !== 'SESSION_REVOKED' || told.has(change.sessionId)) return;
        const one = waiting.get(change.sessionId);
        if (one === undefined) return;
        told.add(change.sessionId);
        one.missing -= 1;
        if (one.missing === 0) one.resolve(performance.now());
      },
      () => new Date(),
    );
  }
  return {
    count,
    heard(sessionId) {
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(sessionId, { missing: count, resolve });
      return promise.finally(() => waiting.delete(sessionId));
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}

export interface LatencyOptions {
  store: Store;
  takeSession: TakeSession;
  followers: Followers;
  revocations: number;
  /** Between two, about. */
  pauseMs: number;
}

/** One revocation after another, at moments that have nothing to do with each other. */
export async function measureLatency(options: LatencyOptions): Promise<Latency> {
  const { store, takeSession, followers, revocations, pauseMs } = options;
  const times: number[] = [];
  // The timers of a store keep no process alive, and here nothing else may be going on.
  const alive = setInterval(() => {}, 1_000);
  for (let i = 0; i < revocations; i += 1) {
    await wait(pauseMs * (0.5 + Math.random()));
    const sessionId = takeSession();
    const heard = followers.heard(sessionId);
    const startedAt = performance.now();
    await revoke(store, sessionId);
    times.push((await heard) - startedAt);
  }
  clearInterval(alive);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}
