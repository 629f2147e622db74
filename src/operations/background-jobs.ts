// What has to be done now and then, by one instance at a time: rotating keys that are old, removing what nobody needs.
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { KNOWN_NETWORK_SECONDS } from '../rate-limits/network.ts';
import { describeOutage } from '../storage/outage.ts';
import type { Store } from '../storage/store.ts';
import { rotateOldKeys } from '../tokens/keys/rotation.ts';
import type { Secrets } from '../tokens/secrets.ts';
import type { Log } from '../utils/log.ts';

export interface BackgroundJobsDeps {
  store: Store;
  secrets: Secrets;
  config: Pick<Config, 'keyMaxAgeSeconds' | 'accessTtlSeconds' | 'sessionIdleSeconds'>;
  log: Log;
  now: () => Date;
}

/** What one round did. */
export interface BackgroundJobsReport {
  removedSessions: number;
  removedChanges: number;
  removedKeys: number;
  removedNetworks: number;
  rotatedKeys: boolean;
  /** Whether it came to its end: neither lost the lease nor was stopped. */
  isComplete: boolean;
}

export interface BackgroundJobs {
  /** Does a round now, unless another instance is at it, or has been lately. */
  runOnce(): Promise<BackgroundJobsReport | undefined>;
  stop(): Promise<void>;
}

const HOUR_SECONDS = 60 * 60;
const LEASE = 'housekeeping';
/** One instance does a round this often. */
const EVERY_SECONDS = HOUR_SECONDS;
/** Each instance looks this often whether one is due. */
const CHECK_INTERVAL_MS = 60_000;
/** An instance that dies during a round holds the others up no longer than this. */
const LEASE_SECONDS = 60;
/** An ended session is kept for a while: who still has its refresh token hears why it is worth nothing. */
const ENDED_RETENTION_SECONDS = 24 * HOUR_SECONDS;
/** Longer than the last token needs: an instance may have signed with a key a moment after it was retired. */
const RETIRED_RETENTION_SECONDS = HOUR_SECONDS;
const BATCH = 500;
/** Between batches, so that those who wait for an answer come first: at least so long, and so many times the batch. */
const PAUSE_MS = 20;
const PAUSE_FACTOR = 50;
const PAUSE_AT_MOST_MS = 5_000;

export function createBackgroundJobs(deps: BackgroundJobsDeps): BackgroundJobs {
  const { store, config, log, now } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let pending: Promise<unknown> = Promise.resolve();
  const ago = (seconds: number) => new Date(now().getTime() - seconds * 1000);

  /** Repeats until there is nothing left, the lease is lost, or the process stops. */
  async function inBatches(
    renewLease: () => Promise<boolean>,
    removeSome: () => Promise<{ removed: number; isDone: boolean }>,
  ): Promise<number> {
    let removed = 0;
    for (;;) {
      const startedAt = performance.now();
      const batch = await removeSome();
      removed += batch.removed;
      if (batch.isDone || signal.aborted || !(await renewLease())) return removed;
      const pause = PAUSE_FACTOR * (performance.now() - startedAt);
      const milliseconds = Math.min(Math.max(pause, PAUSE_MS), PAUSE_AT_MOST_MS);
      await wait(milliseconds, undefined, { signal }).catch(() => {});
    }
  }

  async function runJobs(
    renewLease: () => Promise<boolean>,
  ): Promise<Omit<BackgroundJobsReport, 'isComplete'>> {
    const retentionSeconds = Math.max(ENDED_RETENTION_SECONDS, 2 * config.accessTtlSeconds);
    const before = ago(retentionSeconds);
    let after: string | undefined;
    return {
      rotatedKeys: (await rotateOldKeys(deps, config.keyMaxAgeSeconds)) !== undefined,
      removedKeys: await store.removeRetiredKeys(
        ago(config.accessTtlSeconds + RETIRED_RETENTION_SECONDS),
        now(),
      ),
      removedChanges: await inBatches(renewLease, async () => {
        const removed = await store.removeFeedEvents(before, BATCH);
        return { removed, isDone: removed < BATCH };
      }),
      removedNetworks: await inBatches(renewLease, async () => {
        const removed = await store.removeKnownNetworks(ago(KNOWN_NETWORK_SECONDS), BATCH);
        return { removed, isDone: removed < BATCH };
      }),
      removedSessions: await inBatches(renewLease, async () => {
        const { sessionIdleSeconds: idleSeconds } = config;
        const batch = await store.removeEndedSessions({ before, idleSeconds, after, limit: BATCH });
        after = batch.after;
        return { removed: batch.removed, isDone: after === undefined };
      }),
    };
  }

  async function runOnce(): Promise<BackgroundJobsReport | undefined> {
    // A name for each round: the one who did the last has to wait for the next as everybody else.
    const holder = crypto.randomUUID();
    const renewLease = () => store.takeLease(LEASE, holder, now(), LEASE_SECONDS);
    if (signal.aborted || !(await renewLease())) return undefined;
    const done = await runJobs(renewLease);
    // Kept until the next round is due: nobody does another one before.
    const isComplete = !signal.aborted && (await store.takeLease(LEASE, holder, now(), EVERY_SECONDS));
    const report = { ...done, isComplete };
    log.debug(report, 'housekeeping');
    return report;
  }

  const timer = setInterval(() => {
    pending = pending
      .then(runOnce)
      .catch((err) => log.warn({ reason: describeOutage(err) }, 'housekeeping was interrupted'));
  }, CHECK_INTERVAL_MS).unref();

  return {
    runOnce,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await pending;
    },
  };
}
