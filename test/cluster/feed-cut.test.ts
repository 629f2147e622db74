// Instances whose connections for changes are cut, or kept away, miss nothing.
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
const ENDED_PER_ROUND = 4;
const DISCONNECTED = 'revocation feed disconnected';
const RECONNECTED = 'revocation feed reconnected';

const CUT = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bandha feed'`;
const COUNT = `select count(*)::int as feeds from pg_stat_activity where application_name = 'bandha feed' and state = 'idle'`;
/** Turns the feeds away at the door, and nobody else. */
const SHUT_OUT = `
  create function turn_feeds_away() returns event_trigger language plpgsql as $$
  begin
    if current_setting('application_name') = 'bandha feed' then raise 'not now'; end if;
  end
  $$;
  create event trigger turn_feeds_away on login execute function turn_feeds_away();
  ${CUT}
`;
const LET_IN = 'drop event trigger turn_feeds_away; drop function turn_feeds_away';

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const query = (sql: string) => cluster.postgres.query(cluster.databaseUrl, sql);
const timesSaid = (instance: Instance, text: string) => instance.output().split(text).length - 1;

async function expectHeardAgain(): Promise<void> {
  for (const instance of cluster.instances) {
    expect(timesSaid(instance, DISCONNECTED)).toBeGreaterThan(0);
    await eventually(async () => timesSaid(instance, DISCONNECTED) - timesSaid(instance, RECONNECTED), 0);
    await expectReady(instance);
  }
}

/** Ends the session at a moment of its own, somewhere. */
async function endSomewhere(session: Tokens): Promise<void> {
  await query(`select pg_sleep(${Math.random() * 0.1})`);
  const { outcome } = await cluster.instanceAt(Math.floor(Math.random() * 3)).logOut(session);
  expect(outcome).toBe('OK');
}

it('refuses every revoked session on every instance though the feeds are cut again and again', async () => {
  const account = await cluster.instanceAt(0).register();
  // Of another account: this one's sessions reach the limit of sessions.
  const kept = await cluster.instanceAt(0).register();
  const sessions = await cluster.logInOnEach(account, ROUNDS * ENDED_PER_ROUND);
  await Promise.all(
    sessions.map(({ accessToken }) => expectEverywhere(cluster.instances, accessToken, 'OK')),
  );
  const askers = cluster.instances.map((instance) =>
    cluster.probe(() => instance.querySecureData(kept.accessToken)),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const ending = sessions.slice(round * ENDED_PER_ROUND, (round + 1) * ENDED_PER_ROUND);
    await Promise.all([query(CUT), ...ending.map(endSomewhere)]);
    await eventually(() => query(COUNT), [{ feeds: 3 }]);
  }
  const samples = (await Promise.all(askers.map((asker) => asker.stop()))).flat();
  await Promise.all(
    sessions.map(({ accessToken }) => expectEverywhere(cluster.instances, accessToken, 'TOKEN_REVOKED')),
  );
  expect(countOutcomes(samples)).toEqual({ OK: samples.length });
  await expectHeardAgain();
});

it('asks the database about sessions while the feeds stay away, and says that it is not ready', async () => {
  const account = await cluster.instanceAt(0).register();
  const kept = await cluster.instanceAt(0).logIn(account);
  const during = await cluster.instanceAt(1).logIn(account);
  const after = await cluster.instanceAt(2).logIn(account);
  for (const { accessToken } of [kept, during, after]) {
    await expectEverywhere(cluster.instances, accessToken, 'OK');
  }
  await query(SHUT_OUT);
  for (const instance of cluster.instances) {
    const body = { status: 'unavailable', checks: { store: 'ok', keys: 'ok', revocations: 'failed' } };
    await eventually(async () => (await instance.get('/health/ready')).body, body);
  }
  expect((await cluster.instanceAt(1).logOut(during)).outcome).toBe('OK');
  await expectEverywhere(cluster.instances, during.accessToken, 'TOKEN_REVOKED');
  for (const instance of cluster.instances)
    expect(await instance.querySecureData(kept.accessToken)).toBe('OK');
  await query(LET_IN);
  await expectHeardAgain();
  expect((await cluster.instanceAt(2).logOut(after)).outcome).toBe('OK');
  await expectEverywhere(cluster.instances, after.accessToken, 'TOKEN_REVOKED');
  await expectEverywhere(cluster.instances, during.accessToken, 'TOKEN_REVOKED');
  await expectEverywhere(cluster.instances, kept.accessToken, 'OK');
});
