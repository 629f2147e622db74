// Signing keys are rotated under load without a rejected token.
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openStore } from '../../src/storage/open-store.ts';
import { rotateKeys } from '../../src/tokens/keys/rotation.ts';
import { createSecrets } from '../../src/tokens/secrets.ts';
import {
  type Account,
  type Cluster,
  countOutcomes,
  eventually,
  type Instance,
  LONG_TIMEOUTS,
  quantile,
  startCluster,
  type Tokens,
} from '../support/cluster.ts';
import { signalAll } from '../support/postgres.ts';
import { runBandha } from '../support/server-process.ts';
import { TEST_SECRET } from '../support/test-server.ts';

/** Commands that run one after another. */
const COMMANDS = 2;
/** Commands that run concurrently; those that are too late change nothing. */
const COMMANDS_AT_ONCE = 3;
/** Rotations without a pause, so that a token can be signed with a key that other instances have not loaded. */
const ROTATIONS_IN_A_ROW = 10;
const SESSIONS = 4;

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

/** Rotates `count` times, as fast as the database allows. */
async function rotateInARow(count: number): Promise<void> {
  const store = await openStore(cluster.databaseUrl);
  const secrets = createSecrets(TEST_SECRET);
  try {
    for (let done = 0; done < count; done += 1) {
      expect(await rotateKeys({ store, secrets, now: () => new Date() })).toBeDefined();
    }
  } finally {
    await store.close();
  }
}

const rotate = () => runBandha(['keys', 'rotate'], { env: cluster.instanceAt(0).env });
const readKids = async () =>
  (
    await cluster.postgres.query(
      cluster.databaseUrl,
      'select kid, status from signing_keys order by created_at, kid',
    )
  ).map(({ kid, status }) => ({ kid, status }));
const kidOf = ({ accessToken }: Tokens) => decodeProtectedHeader(accessToken).kid;

/** Uses every token on all instances concurrently; refreshes the session sometimes, and logs in again rarely. */
function useSession(account: Account, first: Tokens, firstRound: number) {
  let tokens = first;
  let round = firstRound;
  const kids = new Set<string | undefined>();
  const prober = cluster.probe(async () => {
    round += 1;
    const instance = cluster.instanceAt(round);
    if (round % 20 === 0) tokens = await instance.logIn(account);
    else if (round % 3 === 0) {
      const refreshed = await instance.refresh(tokens.refreshToken);
      if (refreshed.tokens === undefined) return `refresh: ${refreshed.outcome}`;
      tokens = refreshed.tokens;
    }
    kids.add(kidOf(tokens));
    const outcomes = await Promise.all(
      cluster.instances.map((one) => one.querySecureData(tokens.accessToken)),
    );
    return outcomes.find((outcome) => outcome !== 'OK') ?? 'OK';
  });
  return { prober, kids };
}

it('every instance accepts valid tokens while keys are rotated repeatedly', async () => {
  const account = await cluster.instanceAt(0).register();
  const before = await readKids();
  const sessions = await cluster.logInOnEach(account, SESSIONS);
  const uses = sessions.map((tokens, index) => useSession(account, tokens, index));
  const old = cluster.instances.map((instance) =>
    cluster.probe(() => instance.querySecureData(account.accessToken)),
  );

  for (let round = 0; round < COMMANDS; round += 1) expect(await rotate()).toMatchObject({ code: 0 });
  const atOnce = await Promise.all(Array.from({ length: COMMANDS_AT_ONCE }, rotate));
  await rotateInARow(ROTATIONS_IN_A_ROW);
  const done = COMMANDS + atOnce.filter(({ code }) => code === 0).length + ROTATIONS_IN_A_ROW;
  for (const { code, stderr } of atOnce.filter((one) => one.code !== 0)) {
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('No key was rotated') });
  }

  const keys = await readKids();
  const current = keys.find(({ status }) => status === 'current')?.kid;
  expect(countOutcomes(keys.map(({ status }) => ({ outcome: String(status) })))).toEqual({
    retired: done,
    current: 1,
    next: 1,
  });
  for (const instance of cluster.instances) {
    await eventually(
      () => publishedKids(instance),
      keys.map(({ kid }) => kid),
    );
    await eventually(async () => kidOf(await instance.logIn(account)), current);
  }

  const samples = (
    await Promise.all([...uses.map(({ prober }) => prober), ...old].map((prober) => prober.stop()))
  ).flat();
  // A slow machine may not load a key in time. That is rare, and not a rejection of the token.
  const { KEYS_UNAVAILABLE: unavailable = 0, ...outcomes } = countOutcomes(samples);
  expect(unavailable).toBeLessThan(samples.length / 100);
  expect(outcomes).toEqual({ OK: samples.length - unavailable });
  // The tokens were signed by the first key and by later ones.
  const used = new Set(uses.flatMap(({ kids }) => [...kids]));
  expect(used).toContain(before.find(({ status }) => status === 'current')?.kid);
  expect(used.size).toBeGreaterThan(COMMANDS);
  const times = samples.map(({ milliseconds }) => milliseconds);
  console.log(
    `${done} rotations, tokens of ${used.size} keys, ${samples.length} samples: longest ${quantile(times, 1).toFixed(0)} ms`,
  );
});

it('an instance accepts a token of a key that its feed has not announced', async () => {
  const account = await cluster.instanceAt(0).register();
  const feeds = await cluster.postgres.query(
    cluster.databaseUrl,
    "select pid from pg_stat_activity where application_name = 'bandha feed'",
  );
  const pids = feeds.map(({ pid }) => Number(pid));
  const another = await cluster.start();
  signalAll(pids, 'SIGSTOP');
  try {
    await rotateInARow(3);
    const [current] = (await readKids()).filter(({ status }) => status === 'current');
    await eventually(async () => kidOf(await another.logIn(account)), current?.kid);
    const { accessToken } = await another.logIn(account);
    for (const instance of cluster.instances) expect(await instance.querySecureData(accessToken)).toBe('OK');
  } finally {
    signalAll(pids, 'SIGCONT');
  }
});

async function publishedKids(instance: Instance): Promise<string[]> {
  const { body } = await instance.get('/.well-known/jwks.json');
  return body.keys.map(({ kid }: { kid: string }) => kid);
}
