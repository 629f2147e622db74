// Metrics for Prometheus. None of them identifies a user.
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Accounts } from '../accounts/accounts.ts';
import { AuthError } from '../errors.ts';
import type { AuthenticateMaybeAsync, Authentication } from '../tokens/authenticate.ts';
import { handleMaybePromise } from '../utils/maybe-promise.ts';

/** Values that are read at each request for metrics. */
export interface MetricSources {
  /** Number of recently revoked sessions in memory. */
  revokedSessions(): number;
  /** Number of verified access tokens in the cache. */
  cachedTokens(): number;
  /** Time up to which the revocation feed has been read, by `performance.now()`. */
  feedSyncedAt(): number;
}

export interface Metrics {
  registry: Registry;
  /** Wraps each function so that its calls are counted by outcome, with their durations. */
  instrumentAccounts(accounts: Accounts): Accounts;
  /** Wraps `authenticate` so that requests are counted by the outcome of their token. */
  instrumentAuthentication(authenticate: AuthenticateMaybeAsync): AuthenticateMaybeAsync;
  countResponse(status: number): void;
  /** `REPEATED`: within the grace period, same successor; `REUSED`: the session was revoked. */
  countRepeatedRefresh(outcome: 'REPEATED' | 'REUSED'): void;
}

/** From a lookup in memory to a password hash that waits in the queue. */
/** Label values that differ from the names of the functions: dashboards of 0.1.0 depend on them. */
const LABELS: Readonly<Record<string, string>> = {
  revokeSession: 'endSession',
  revokeAllSessions: 'endAllSessions',
  findUser: 'findAccount',
};
const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('bandha_revoked_sessions', 'Recently revoked sessions in memory', sources.revokedSessions);
  gauge('bandha_cached_tokens', 'Verified access tokens in the cache', sources.cachedTokens);
  gauge(
    'bandha_changes_age_seconds',
    'Seconds since the revocation feed was in sync; above 5, each session is looked up in the database',
    () => (performance.now() - sources.feedSyncedAt()) / 1000,
  );
  gauge(
    'process_start_time_seconds',
    'Start time of the process in seconds since 1970',
    () => performance.timeOrigin / 1000,
  );
  gauge('process_resident_memory_bytes', 'Resident memory of the process', () => process.memoryUsage.rss());
  gauge(
    'nodejs_eventloop_utilization',
    'Share of the time since the start in which the event loop was busy',
    () => performance.eventLoopUtilization().utilization,
  );
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const countAuthentication = createTally<string>(
    registry,
    'bandha_authentications_total',
    'Requests by outcome of their access token: accepted, none, or the reason of its rejection',
    'result',
  );
  const countResponse = createTally<number>(
    registry,
    'bandha_http_responses_total',
    'Responses by HTTP status',
    'status',
  );
  const countRepeatedRefresh = createTally<string>(
    registry,
    'bandha_repeated_refreshes_total',
    'Refresh tokens used again: REPEATED within the grace period, or REUSED, which revokes the session',
    'outcome',
  );
  const durations = new Histogram({
    name: 'bandha_account_seconds',
    help: 'Duration of sign-ins, refreshes and other account functions by outcome: ok, the reason of an AuthError, or error',
    labelNames: ['verb', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });

  function withDuration<A extends unknown[], R>(operation: string, call: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      const startedAt = performance.now();
      const done = (outcome: string) =>
        durations.observe({ verb: operation, outcome }, (performance.now() - startedAt) / 1000);
      try {
        const result = await call(...args);
        done('ok');
        return result;
      } catch (error) {
        done(error instanceof AuthError ? error.reason : 'error');
        throw error;
      }
    };
  }

  return {
    registry,
    instrumentAccounts: (accounts) =>
      Object.fromEntries(
        Object.entries(accounts).map(([operation, call]) => [
          operation,
          withDuration(LABELS[operation] ?? operation, call as (...args: unknown[]) => Promise<unknown>), // every account function is asynchronous
        ]),
      ) as unknown as Accounts, // the same names with functions of the same types
    instrumentAuthentication(authenticate) {
      const counted = (authentication: Authentication) => {
        const { principal, problem } = authentication;
        countAuthentication(problem ?? (principal ? 'accepted' : 'none'));
        return authentication;
      };
      return (headers) => handleMaybePromise(authenticate(headers), counted);
    },
    countResponse,
    countRepeatedRefresh,
  };
}

/** Counts in a map, which is cheap for every request; the counts are copied to the counter at each scrape. */
function createTally<L extends string | number>(
  registry: Registry,
  name: string,
  help: string,
  labelName: string,
): (label: L) => void {
  const tally = new Map<L, { count: number }>();
  new Counter({
    name,
    help,
    labelNames: [labelName],
    registers: [registry],
    collect() {
      this.reset();
      for (const [label, { count }] of tally) this.inc({ [labelName]: label }, count);
    },
  });
  return (label) => {
    const entry = tally.get(label);
    if (entry === undefined) tally.set(label, { count: 1 });
    else entry.count += 1;
  };
}
