// While PostgreSQL is down, or hangs, those who have tokens are served; afterwards everything is as before, by itself.
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
/** The most that is configured on the instance that gives up soon; knowledge is fresh for 5 s whatever is configured. */
const MAX_STALE_SECONDS = 6;
/** No machine is so slow. */
const BOUND_MS = 30_000;
const CLIENTS_PER_INSTANCE = 2;
const SESSIONS_REFRESHING = 6;
const SECURE = '{ secureData { message } }';
const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { expiresIn } }';

/** What was seen of one outage. */
interface Seen {
  /** By `performance.now()`. */
  startedAt: number;
  /** Protected queries with valid tokens, on the instances that wait long. */
  patient: Sample[];
  /** The same on the instance that gives up soon. */
  hasty: Sample[];
  /** During the outage. */
  answers: Record<'logins' | 'refreshes' | 'readiness' | 'revoked' | 'givenUp', ClusterResponse[]>;
  /** The refreshes that the outage cut off, with the tokens that they presented. */
  cutOff: { outcome: string; refreshToken: string }[];
  account: Account;
}

/** Each begins an outage, and returns what ends it. */
const OUTAGES: Record<string, () => Promise<() => unknown>> = {
  async 'is down'() {
    await cluster.postgres.stop();
    return () => cluster.postgres.start();
  },
  'does not answer': () => cluster.postgres.freeze(),
};

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
let hasty: Instance;
beforeAll(async () => {
  const env = {
    BANDHA_MAX_STALE_SECONDS: '600',
    // Covers a rotation that was done though its answer was lost.
    BANDHA_REFRESH_GRACE_SECONDS: '600',
    BANDHA_STATEMENT_TIMEOUT_SECONDS: '',
    BANDHA_CONNECT_TIMEOUT_SECONDS: '',
  };
  cluster = await startCluster({ env });
  hasty = await cluster.start({ BANDHA_MAX_STALE_SECONDS: String(MAX_STALE_SECONDS) });
});
afterAll(() => cluster?.close());

const ask = <T>(of: (instance: Instance) => Promise<T>) =>
  Promise.all([...cluster.instances, hasty].map((instance) => of(instance)));

/** A session that is refreshed without a pause, until that is refused. */
async function refreshUntilCutOff(instance: Instance, { refreshToken: first }: Tokens) {
  for (let refreshToken = first; ; ) {
    const { outcome, tokens } = await instance.refresh(refreshToken);
    if (tokens === undefined) return { outcome, refreshToken };
    refreshToken = tokens.refreshToken;
  }
}

async function goThrough(begin: () => Promise<() => unknown>): Promise<Seen> {
  const account = await cluster.instanceAt(0).register();
  const revoked = await cluster.instanceAt(0).logIn(account);
  await ask((instance) => expectEverywhere([instance], revoked.accessToken, 'OK'));
  await cluster.instanceAt(1).logOut(revoked);
  await ask((instance) => expectEverywhere([instance], revoked.accessToken, 'TOKEN_REVOKED'));
  const asRevoked = { token: revoked.accessToken };

  const { accessToken, refreshToken } = account;
  const [patient, givingUp] = [cluster.instances, [hasty]].map((instances) =>
    instances
      .flatMap((instance) => Array.from({ length: CLIENTS_PER_INSTANCE }, () => instance))
      .map((instance) => cluster.probe(() => instance.querySecureData(accessToken))),
  );
  const sessions = await cluster.logInOnEach(account, SESSIONS_REFRESHING);
  const refreshing = sessions.map((session, place) => refreshUntilCutOff(cluster.instanceAt(place), session));

  const startedAt = performance.now();
  const end = await begin();
  try {
    const cutOff = await Promise.all(refreshing);
    const [logins, refreshes] = await Promise.all([
      ask((instance) => instance.execute(LOGIN, { variables: { ...account } })),
      ask((instance) => instance.refresh(refreshToken)),
    ]);
    await wait(Math.max(0, startedAt + OUTAGE_MS - performance.now()));
    await eventually(() => hasty.querySecureData(accessToken), 'REVOCATIONS_UNAVAILABLE');
    const givenUp = await hasty.execute(SECURE, { token: accessToken });
    const readiness = await ask((instance) => instance.get('/health/ready'));
    const ended = await ask((instance) => instance.execute(SECURE, asRevoked));

    await end();
    await ask(expectReady);
    await eventually(() => hasty.querySecureData(accessToken), 'OK');
    const samplesOf = async (askers: Prober[] = []) =>
      (await Promise.all(askers.map((asker) => asker.stop()))).flat();
    return {
      account,
      startedAt,
      patient: await samplesOf(patient),
      hasty: await samplesOf(givingUp),
      answers: { logins, refreshes, readiness, revoked: ended, givenUp: [givenUp] },
      cutOff,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

describe.each(Object.entries(OUTAGES))('while PostgreSQL %s', (name, begin) => {
  let seen: Seen;
  beforeAll(async () => {
    seen = await goThrough(begin);
  });

  it('answers every protected query with a valid token', () => {
    expect(countOutcomes(seen.patient)).toEqual({ OK: seen.patient.length });
    const times = seen.patient
      .filter(({ receivedAt }) => receivedAt > seen.startedAt)
      .map(({ milliseconds }) => milliseconds);
    const longest = Math.max(...times);
    console.log(
      `Protected queries while PostgreSQL ${name}: ${times.length} answered, p50 ${quantile(times, 0.5).toFixed(1)} ms, ` +
        `p99 ${quantile(times, 0.99).toFixed(1)} ms, longest ${longest.toFixed(1)} ms`,
    );
    expect(longest).toBeLessThan(BOUND_MS);
  });

  it('gives up after BANDHA_MAX_STALE_SECONDS, and no sooner', () => {
    const firstRejected = seen.hasty.find(({ outcome }) => outcome !== 'OK');
    // What was heard last may have been heard a moment before the outage.
    expect((firstRejected?.receivedAt ?? 0) - seen.startedAt).toBeGreaterThan((MAX_STALE_SECONDS - 3) * 1000);
    expect(Object.keys(countOutcomes(seen.hasty))).toEqual(['OK', 'REVOCATIONS_UNAVAILABLE']);
    expect(seen.hasty.at(-1)?.outcome).toBe('OK');
  });

  it.each(['logins', 'refreshes', 'givenUp'] as const)(
    'answers %s with SERVICE_UNAVAILABLE, and says when to try again',
    (kind) => {
      for (const { status, headers, body } of seen.answers[kind]) {
        expect(body.errors[0].extensions.code).toBe('SERVICE_UNAVAILABLE');
        expect(status).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
    },
  );

  it('says that it is not ready, and which checks fail', () => {
    const body = { status: 'unavailable', checks: { store: 'failed', keys: 'ok', revocations: 'failed' } };
    for (const answer of seen.answers.readiness) expect(answer).toMatchObject({ status: 503, body });
  });

  it('goes on refusing the sessions that were revoked before', () => {
    for (const { outcome } of seen.answers.revoked) expect(outcome).toBe('TOKEN_REVOKED');
  });

  it('serves everything again by itself afterwards, to those too whose refresh was cut off', async () => {
    for (const [place, { outcome, refreshToken }] of seen.cutOff.entries()) {
      expect(outcome).toBe('STORE_UNAVAILABLE');
      const refreshed = await cluster.instanceAt(place + 1).refresh(refreshToken);
      expect(refreshed.outcome).toBe('OK');
      await ask((instance) => expectEverywhere([instance], refreshed.tokens?.accessToken ?? '', 'OK'));
    }
    await ask((instance) => instance.logIn(seen.account));
    await ask((instance) => instance.register());
    for (const { child } of cluster.instances) expect(child.exitCode).toBe(null);
  });
});
