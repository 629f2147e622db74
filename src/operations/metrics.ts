// What whoever is on call wants to see, in Prometheus' words; nothing in it names a person.
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Accounts } from '../accounts/accounts.ts';
import { AuthError } from '../errors.ts';
import type { AuthenticateMaybeAsync, Authentication } from '../tokens/authenticate.ts';
import { handleMaybePromise } from '../utils/maybe-promise.ts';

/** Numbers that are read when somebody asks. */
export interface MetricSources {
  revokedSessions(): number;
  cachedTokens(): number;
  /** Up to when changes of other instances are known, by `performance.now()`. */
  feedSyncedAt(): number;
}

export interface Metrics {
  registry: Registry;
  /** The same functions, each call counted by what became of it, with its time. */
  instrumentAccounts(accounts: Accounts): Accounts;
  instrumentAuthentication(authenticate: AuthenticateMaybeAsync): AuthenticateMaybeAsync;
  countResponse(status: number): void;
  /** `REPEATED`: answered inside the grace; `REUSED`: the session was revoked. */
  countRepeatedRefresh(outcome: 'REPEATED' | 'REUSED'): void;
}

/** From a look-up to a password hash that waits for its turn. */
const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export function createMetrics(readings: MetricSources): Metrics {
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
  gauge(
    'bandha_revoked_sessions',
    'Sessions that were revoked lately, kept in memory',
    readings.revokedSessions,
  );
  gauge('bandha_cached_tokens', 'Verified access tokens, kept in memory', readings.cachedTokens);
  gauge(
    'bandha_changes_age_seconds',
    'How old the knowledge of what other instances changed is; over 5, the store is asked about each session',
    () => (performance.now() - readings.feedSyncedAt()) / 1000,
  );
  gauge(
    'process_start_time_seconds',
    'When the process started, since 1970',
    () => performance.timeOrigin / 1000,
  );
  gauge('process_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss());
  gauge(
    'nodejs_eventloop_utilization',
    'Share of the time, since the start, in which the event loop was busy',
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
    'Requests by what became of their access token: accepted, none, or why it was not accepted',
    'result',
  );
  const countResponse = createTally<number>(
    registry,
    'bandha_http_responses_total',
    'Answers by HTTP status',
    'status',
  );
  const countRepeatedRefresh = createTally<string>(
    registry,
    'bandha_repeated_refreshes_total',
    'Refresh tokens presented again: REPEATED inside the grace, or REUSED, which revokes the session',
    'outcome',
  );
  const useCases = new Histogram({
    name: 'bandha_account_seconds',
    help: 'Time of sign-ins, refreshes and so on, by what became of them: ok, the reason of a refusal, or error',
    labelNames: ['verb', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });

  function withDuration<A extends unknown[], R>(operation: string, useCase: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      const startedAt = performance.now();
      const done = (outcome: string) =>
        useCases.observe({ verb: operation, outcome }, (performance.now() - startedAt) / 1000);
      try {
        const result = await useCase(...args);
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
        Object.entries(accounts).map(([operation, useCase]) => [
          operation,
          withDuration(operation, useCase as (...args: unknown[]) => Promise<unknown>), // every use case is one
        ]),
      ) as unknown as Accounts, // the same names, and functions of the same types
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

/** Counts in a map of its own, since every request counts twice; Prometheus gets the sums when it asks. */
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
    const known = tally.get(label);
    if (known === undefined) tally.set(label, { count: 1 });
    else known.count += 1;
  };
}
