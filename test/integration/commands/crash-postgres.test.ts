// Confirmed changes survive `kill -9` at any moment: two instances on PostgreSQL, and PostgreSQL itself.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, expectReady, type Instance, startCluster } from '../../support/cluster.ts';
import { CRASH_ENV, LONG_TIMEOUTS, runCrashLoop, UNRECORDED_REVOCATIONS } from '../../support/crash-loop.ts';

const KILLS = 50;
const DATABASE_KILLS = 10;

vi.setConfig(LONG_TIMEOUTS);
let cluster: Cluster;
let instances: Instance[];
beforeAll(async () => {
  cluster = await startCluster({ count: 2, env: CRASH_ENV });
  instances = [...cluster.instances];
  const another = await cluster.start();
  await another.stop(); // Node writes its compile cache only on a regular exit
});
afterAll(() => cluster?.close());

const urls = () => instances.map(({ url }) => url);

async function expectEveryRevocationRecorded(): Promise<void> {
  expect(await cluster.postgres.query(cluster.databaseUrl, UNRECORDED_REVOCATIONS)).toEqual([]);
}

it('sessions stay live or ended when an instance is killed repeatedly', async () => {
  const victim = {
    urls,
    async kill() {
      instances.reverse(); // alternates between the instances
      await instances[0]?.stop('SIGKILL');
      expect(instances[0]?.child.signalCode).toBe('SIGKILL');
    },
    async restart() {
      instances[0] = await cluster.start();
    },
  };
  const { live, ended } = await runCrashLoop(victim, KILLS);
  expect(Math.min(live, ended)).toBeGreaterThan(0);
  await expectEveryRevocationRecorded();
});

it('sessions stay live or ended when PostgreSQL is killed repeatedly', async () => {
  const victim = {
    urls,
    kill: () => cluster.postgres.kill(),
    async restart() {
      await cluster.postgres.start();
      await Promise.all(instances.map(expectReady));
    },
  };
  const { live, ended } = await runCrashLoop(victim, DATABASE_KILLS);
  expect(Math.min(live, ended)).toBeGreaterThan(0);
  await expectEveryRevocationRecorded();
  for (const { child } of instances) expect(child.exitCode).toBe(null);
});
