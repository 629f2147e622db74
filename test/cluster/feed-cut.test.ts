// Instances miss no revocation when the connections of their feeds are ended or rejected.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type Cluster,
  countOutcomes,
  eventually,
  expectEverywhere,
  expectReady,
  type Instance,
  LONG_TIMEOUTS,
  startCluster,
  type Tokens,
} from '../support/cluster.ts';

const ROUNDS = 25;
const REVOKED_PER_ROUND = 4;
const DISCONNECTED = 'revocation feed disconnected';
const RECONNECTED = 'revocation feed reconnected';

const END_FEEDS = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bandha feed'`;
const COUNT_FEEDS = `select count(*)::int as feeds from pg_stat_activity where application_name = 'bandha feed' and state = 'idle'`;
/** Rejects connections of feeds only. */
const REJECT_FEEDS = `
  create function reject_feeds() returns event_trigger language plpgsql as $$
  begin
    if current_setting('application_name') = 'bandha feed' then raise 'feed rejected'; end if;
  end
  $$;
  create event trigger reject_feeds on login execute function reject_feeds();
  ${END_FEEDS}
`;
const ACCEPT_FEEDS = 'drop event trigger reject_feeds; drop function reject_feeds';

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const query = (sql: string) => cluster.postgres.query(cluster.databaseUrl, sql);
const countLogged = (instance: Instance, text: string) => instance.output().split(text).length - 1;

async function expectReconnected(): Promise<void> {
  for (const instance of cluster.instances) {
    expect(countLogged(instance, DISCONNECTED)).toBeGreaterThan(0);
    await eventually(async () => countLogged(instance, DISCONNECTED) - countLogged(instance, RECONNECTED), 0);
    await expectReady(instance);
  }
}

/** Logs out on a random instance at a random time. */
async function logOutSomewhere(session: Tokens): Promise<void> {
  await query(`select pg_sleep(${Math.random() * 0.1})`);
  const { outcome } = await cluster.instanceAt(Math.floor(Math.random() * 3)).logOut(session);
  expect(outcome).toBe('OK');
}

it('every instance rejects revoked sessions while feeds are interrupted', async () => {
  const account = await cluster.instanceAt(0).register();
  // Another account: the first one reaches the limit of sessions.
  const kept = await cluster.instanceAt(0).register();
  const sessions = await cluster.logInOnEach(account, ROUNDS * REVOKED_PER_ROUND);
  await Promise.all(
    sessions.map(({ accessToken }) => expectEverywhere(cluster.instances, accessToken, 'OK')),
  );
  const probers = cluster.instances.map((instance) =>
    cluster.probe(() => instance.querySecureData(kept.accessToken)),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const ending = sessions.slice(round * REVOKED_PER_ROUND, (round + 1) * REVOKED_PER_ROUND);
    await Promise.all([query(END_FEEDS), ...ending.map(logOutSomewhere)]);
    await eventually(() => query(COUNT_FEEDS), [{ feeds: 3 }]);
  }
  const samples = (await Promise.all(probers.map((prober) => prober.stop()))).flat();
  await Promise.all(
    sessions.map(({ accessToken }) => expectEverywhere(cluster.instances, accessToken, 'TOKEN_REVOKED')),
  );
  expect(countOutcomes(samples)).toEqual({ OK: samples.length });
  await expectReconnected();
});

it('instances without a feed are not ready, and check sessions in the database', async () => {
  const account = await cluster.instanceAt(0).register();
  const kept = await cluster.instanceAt(0).logIn(account);
  const during = await cluster.instanceAt(1).logIn(account);
  const after = await cluster.instanceAt(2).logIn(account);
  for (const { accessToken } of [kept, during, after]) {
    await expectEverywhere(cluster.instances, accessToken, 'OK');
  }
  await query(REJECT_FEEDS);
  for (const instance of cluster.instances) {
    const body = { status: 'unavailable', checks: { store: 'ok', keys: 'ok', revocations: 'failed' } };
    await eventually(async () => (await instance.get('/health/ready')).body, body);
  }
  expect((await cluster.instanceAt(1).logOut(during)).outcome).toBe('OK');
  await expectEverywhere(cluster.instances, during.accessToken, 'TOKEN_REVOKED');
  for (const instance of cluster.instances)
    expect(await instance.querySecureData(kept.accessToken)).toBe('OK');
  await query(ACCEPT_FEEDS);
  await expectReconnected();
  expect((await cluster.instanceAt(2).logOut(after)).outcome).toBe('OK');
  await expectEverywhere(cluster.instances, after.accessToken, 'TOKEN_REVOKED');
  await expectEverywhere(cluster.instances, during.accessToken, 'TOKEN_REVOKED');
  await expectEverywhere(cluster.instances, kept.accessToken, 'OK');
});
