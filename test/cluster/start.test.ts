// Many instances start at the same time on an empty database.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type Cluster,
  expectEverywhere,
  expectReady,
  LONG_TIMEOUTS,
  startCluster,
} from '../support/cluster.ts';
import { GOOD_PASSWORD } from '../support/test-server.ts';

const INSTANCES = 10;
const ADMIN = { email: 'admin@example.com', password: GOOD_PASSWORD };

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
beforeAll(async () => {
  const env = { BANDHA_ADMIN_EMAIL: ADMIN.email, BANDHA_ADMIN_PASSWORD: ADMIN.password };
  cluster = await startCluster({ count: INSTANCES, env });
});
afterAll(() => cluster?.close());

const query = (sql: string) => cluster.postgres.query(cluster.databaseUrl, sql);

it('ten concurrent starts create one set of keys and one administrator', async () => {
  const keys = await query('select status from signing_keys order by status');
  expect(keys).toEqual([{ status: 'current' }, { status: 'next' }]);
  expect(await query('select email from users')).toEqual([{ email: ADMIN.email }]);
  const published = await Promise.all(
    cluster.instances.map(async (instance) => (await instance.get('/.well-known/jwks.json')).body),
  );
  expect(published[0].keys).toHaveLength(2);
  expect(new Set(published.map((keySet) => JSON.stringify(keySet))).size).toBe(1);
});

it('every instance accepts the tokens of every other', async () => {
  await Promise.all(cluster.instances.map(expectReady));
  const sessions = await Promise.all(cluster.instances.map((instance) => instance.logIn(ADMIN)));
  for (const { accessToken } of sessions) await expectEverywhere(cluster.instances, accessToken, 'OK');
});
