// While PostgreSQL is stopped or hangs, access tokens are still accepted; afterwards every instance recovers by itself.
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Account,
  type Cluster,
  type ClusterResponse,
  countOutcomes,
  eventually,
  expectEverywhere,
  expectReady,
  type Instance,
  LONG_TIMEOUTS,
  type Prober,
  quantile,
  type Sample,
  startCluster,
  type Tokens,
} from '../support/cluster.ts';

const OUTAGE_MS = 10_000;
/** BANDHA_MAX_STALE_SECONDS of the strict instance. Data counts as fresh for 5 s in any case. */
const MAX_STALE_SECONDS = 6;
/** Longer than on the slowest machine. */
const BOUND_MS = 30_000;
const CLIENTS_PER_INSTANCE = 2;
const SESSIONS_REFRESHING = 6;
const SECURE = '{ secureData { message } }';
const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { expiresIn } }';

/** Observations during one outage. */
interface Observations {
  /** Milliseconds of `performance.now()`. */
  startedAt: number;
  /** Protected queries with valid tokens, on the tolerant instances. */
  tolerant: Sample[];
  /** Protected queries with valid tokens, on the strict instance. */
  strict: Sample[];
  /** Responses during the outage. */
  responses: Record<'logins' | 'refreshes' | 'readiness' | 'revoked' | 'stale', ClusterResponse[]>;
  /** Refreshes that the outage interrupted, with the tokens that they presented. */
  interrupted: { outcome: string; refreshToken: string }[];
  account: Account;
}

/** Functions that begin an outage and return a function that ends it. */
const OUTAGES: Record<string, () => Promise<() => unknown>> = {
  async 'is stopped'() {
    await cluster.postgres.stop();
    return () => cluster.postgres.start();
  },
  'does not respond': () => cluster.postgres.freeze(),
};

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
let strict: Instance;
beforeAll(async () => {
  const env = {
    BANDHA_MAX_STALE_SECONDS: '600',
    // Covers a rotation that was committed although its response was lost.
    BANDHA_REFRESH_GRACE_SECONDS: '600',
    BANDHA_STATEMENT_TIMEOUT_SECONDS: '',
    BANDHA_CONNECT_TIMEOUT_SECONDS: '',
  };
  cluster = await startCluster({ env });
  strict = await cluster.start({ BANDHA_MAX_STALE_SECONDS: String(MAX_STALE_SECONDS) });
});
afterAll(() => cluster?.close());

const onEach = <T>(run: (instance: Instance) => Promise<T>) =>
  Promise.all([...cluster.instances, strict].map((instance) => run(instance)));

/** Refreshes a session without a pause until a refresh fails. @returns the failure */
async function refreshUntilFailure(instance: Instance, { refreshToken: first }: Tokens) {
  for (let refreshToken = first; ; ) {
    const { outcome, tokens } = await instance.refresh(refreshToken);
    if (tokens === undefined) return { outcome, refreshToken };
    refreshToken = tokens.refreshToken;
  }
}

async function observeOutage(begin: () => Promise<() => unknown>): Promise<Observations> {
  const account = await cluster.instanceAt(0).register();
  const revoked = await cluster.instanceAt(0).logIn(account);
  await onEach((instance) => expectEverywhere([instance], revoked.accessToken, 'OK'));
  await cluster.instanceAt(1).logOut(revoked);
  await onEach((instance) => expectEverywhere([instance], revoked.accessToken, 'TOKEN_REVOKED'));
  const revokedToken = { token: revoked.accessToken };

  const { accessToken, refreshToken } = account;
  const [tolerantProbers, strictProbers] = [cluster.instances, [strict]].map((instances) =>
    instances
      .flatMap((instance) => Array.from({ length: CLIENTS_PER_INSTANCE }, () => instance))
      .map((instance) => cluster.probe(() => instance.querySecureData(accessToken))),
  );
  const sessions = await cluster.logInOnEach(account, SESSIONS_REFRESHING);
  const refreshing = sessions.map((session, index) =>
    refreshUntilFailure(cluster.instanceAt(index), session),
  );

  const startedAt = performance.now();
  const end = await begin();
  try {
    const interrupted = await Promise.all(refreshing);
    const [logins, refreshes] = await Promise.all([
      onEach((instance) => instance.execute(LOGIN, { variables: { ...account } })),
      onEach((instance) => instance.refresh(refreshToken)),
    ]);
    await wait(Math.max(0, startedAt + OUTAGE_MS - performance.now()));
    await eventually(() => strict.querySecureData(accessToken), 'REVOCATIONS_UNAVAILABLE');
    const stale = await strict.execute(SECURE, { token: accessToken });
    const readiness = await onEach((instance) => instance.get('/health/ready'));
    const rejected = await onEach((instance) => instance.execute(SECURE, revokedToken));

    await end();
    await onEach(expectReady);
    await eventually(() => strict.querySecureData(accessToken), 'OK');
    const stopAll = async (probers: Prober[] = []) =>
      (await Promise.all(probers.map((prober) => prober.stop()))).flat();
    return {
      account,
      startedAt,
      tolerant: await stopAll(tolerantProbers),
      strict: await stopAll(strictProbers),
      responses: { logins, refreshes, readiness, revoked: rejected, stale: [stale] },
      interrupted,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

describe.each(Object.entries(OUTAGES))('while PostgreSQL %s', (name, begin) => {
  let seen: Observations;
  beforeAll(async () => {
    seen = await observeOutage(begin);
  });

  it('instances accept valid tokens', () => {
    expect(countOutcomes(seen.tolerant)).toEqual({ OK: seen.tolerant.length });
    const times = seen.tolerant
      .filter(({ receivedAt }) => receivedAt > seen.startedAt)
      .map(({ milliseconds }) => milliseconds);
    const longest = Math.max(...times);
    console.log(
      `Protected queries while PostgreSQL ${name}: ${times.length} responses, p50 ${quantile(times, 0.5).toFixed(1)} ms, ` +
        `p99 ${quantile(times, 0.99).toFixed(1)} ms, longest ${longest.toFixed(1)} ms`,
    );
    expect(longest).toBeLessThan(BOUND_MS);
  });

  it('tokens are rejected after BANDHA_MAX_STALE_SECONDS, and no sooner', () => {
    const firstRejected = seen.strict.find(({ outcome }) => outcome !== 'OK');
    // The feed may have been read last a moment before the outage.
    expect((firstRejected?.receivedAt ?? 0) - seen.startedAt).toBeGreaterThan((MAX_STALE_SECONDS - 3) * 1000);
    expect(Object.keys(countOutcomes(seen.strict))).toEqual(['OK', 'REVOCATIONS_UNAVAILABLE']);
    expect(seen.strict.at(-1)?.outcome).toBe('OK');
  });

  it.each(['logins', 'refreshes', 'stale'] as const)(
    'the response to %s is SERVICE_UNAVAILABLE with Retry-After',
    (kind) => {
      for (const { status, headers, body } of seen.responses[kind]) {
        expect(body.errors[0].extensions.code).toBe('SERVICE_UNAVAILABLE');
        expect(status).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
    },
  );

  it('the readiness check fails, and names the failed checks', () => {
    const body = { status: 'unavailable', checks: { store: 'failed', keys: 'ok', revocations: 'failed' } };
    for (const response of seen.responses.readiness) expect(response).toMatchObject({ status: 503, body });
  });

  it('sessions that were revoked before stay rejected', () => {
    for (const { outcome } of seen.responses.revoked) expect(outcome).toBe('TOKEN_REVOKED');
  });

  it('every instance recovers by itself, and repeats interrupted refreshes', async () => {
    for (const [index, { outcome, refreshToken }] of seen.interrupted.entries()) {
      expect(outcome).toBe('STORE_UNAVAILABLE');
      const refreshed = await cluster.instanceAt(index + 1).refresh(refreshToken);
      expect(refreshed.outcome).toBe('OK');
      await onEach((instance) => expectEverywhere([instance], refreshed.tokens?.accessToken ?? '', 'OK'));
    }
    await onEach((instance) => instance.logIn(seen.account));
    await onEach((instance) => instance.register());
    for (const { child } of cluster.instances) expect(child.exitCode).toBe(null);
  });
});
