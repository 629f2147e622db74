// Periodic work of one instance at a time: rotates old signing keys and removes expired data.
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

/** The result of one run. */
export interface BackgroundJobsReport {
  removedSessions: number;
  removedFeedEvents: number;
  removedKeys: number;
  removedNetworks: number;
  rotatedKeys: boolean;
  /** False if the instance lost the lease or was stopped during the run. */
  isComplete: boolean;
}

export interface BackgroundJobs {
  /** Runs all jobs. @returns undefined if another instance has the lease, or ran them within the last hour */
  runOnce(): Promise<BackgroundJobsReport | undefined>;
  /** Stops the timer and waits for the current run, which ends after its batch. */
  stop(): Promise<void>;
}

const HOUR_SECONDS = 60 * 60;
/** The name of the lease in the database, which earlier versions use too. */
const LEASE = 'housekeeping';
/** Interval between two runs, by whichever instance. */
const RUN_INTERVAL_SECONDS = HOUR_SECONDS;
/** Interval at which each instance tries to take the lease. */
const CHECK_INTERVAL_MS = 60_000;
/** Time after which another instance takes over from one that has crashed during a run. */
const LEASE_SECONDS = 60;
/** Time to keep ended sessions, so that a client with an old refresh token gets the reason: `EXPIRED` or `REVOKED`. */
const ENDED_RETENTION_SECONDS = 24 * HOUR_SECONDS;
/** Added to the lifetime of tokens: an instance may sign with a key shortly after its retirement. */
const RETIRED_RETENTION_SECONDS = HOUR_SECONDS;
const BATCH_SIZE = 500;
/** Pause between batches, so that requests have priority: a multiple of the duration of the batch, within two bounds. */
const MIN_PAUSE_MS = 20;
const PAUSE_FACTOR = 50;
const MAX_PAUSE_MS = 5_000;

export function createBackgroundJobs(deps: BackgroundJobsDeps): BackgroundJobs {
  const { store, config, log, now } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let pending: Promise<unknown> = Promise.resolve();
  const ago = (seconds: number) => new Date(now().getTime() - seconds * 1000);

  /** Repeats `removeBatch` until nothing is left, the lease is lost, or the process stops. @returns the number removed */
  async function inBatches(
    renewLease: () => Promise<boolean>,
    removeBatch: () => Promise<{ removed: number; isDone: boolean }>,
  ): Promise<number> {
    let removed = 0;
    for (;;) {
      const startedAt = performance.now();
      const batch = await removeBatch();
      removed += batch.removed;
      if (batch.isDone || signal.aborted || !(await renewLease())) return removed;
      const pause = PAUSE_FACTOR * (performance.now() - startedAt);
      const milliseconds = Math.min(Math.max(pause, MIN_PAUSE_MS), MAX_PAUSE_MS);
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
      removedFeedEvents: await inBatches(renewLease, async () => {
        const removed = await store.removeFeedEvents(before, BATCH_SIZE);
        return { removed, isDone: removed < BATCH_SIZE };
      }),
      removedNetworks: await inBatches(renewLease, async () => {
        const removed = await store.removeKnownNetworks(ago(KNOWN_NETWORK_SECONDS), BATCH_SIZE);
        return { removed, isDone: removed < BATCH_SIZE };
      }),
      removedSessions: await inBatches(renewLease, async () => {
        const { sessionIdleSeconds: idleSeconds } = config;
        const batch = await store.removeEndedSessions({ before, idleSeconds, after, limit: BATCH_SIZE });
        after = batch.after;
        return { removed: batch.removed, isDone: after === undefined };
      }),
    };
  }

  async function runOnce(): Promise<BackgroundJobsReport | undefined> {
    // A new holder for each run, so that this instance too has to wait until its last lease ends.
    const holder = crypto.randomUUID();
    const renewLease = () => store.takeLease(LEASE, holder, now(), LEASE_SECONDS);
    if (signal.aborted || !(await renewLease())) return undefined;
    const done = await runJobs(renewLease);
    // Keeps the lease until the next run is due, so that no instance runs earlier.
    const isComplete = !signal.aborted && (await store.takeLease(LEASE, holder, now(), RUN_INTERVAL_SECONDS));
    const report = { ...done, isComplete };
    log.debug(report, 'background jobs ran');
    return report;
  }

  const timer = setInterval(() => {
    pending = pending
      .then(runOnce)
      .catch((err) =>
        log.warn({ reason: describeOutage(err) }, 'background jobs interrupted; the next run continues'),
      );
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
