// The revocation feed on PostgreSQL: any order of commits, broken connections, failover.
import type { Client } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { startPostgres } from '../../support/postgres.ts';
import {
  after,
  IDLE_SECONDS,
  isKeysChanged,
  isRevocationOf,
  isRolesChangeOf,
  NOW,
  newKey,
  newSession,
  newUser,
  revokedSessionIds,
  subscribeTo,
} from './contract/fixture.ts';
import { usePostgres, WAIT_OPTIONS } from './use-postgres.ts';

/** Events with this time can be read only by snapshot, since a replay by time leaves them out. */
const LONG_AGO = after(-100_000);

const server = usePostgres();
const { open, query } = server;

/** Creates sessions. @returns their ids, and a function that revokes the next one */
async function prepareRevocations(store: Store, count: number) {
  const user = newUser({ roles: [] });
  await store.createUser(user);
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  for (const id of ids) await store.createSession(newSession(user.id, { id }));
  const remaining = [...ids];
  async function revokeNext(now = NOW): Promise<string> {
    const sessionId = remaining.shift() ?? '';
    await store.revokeSession({ sessionId }, now, IDLE_SECONDS);
    return sessionId;
  }
  return { user, ids, revokeNext };
}

/** Opens a transaction that records an event. @returns its connection, to commit or roll back */
async function recordWithoutCommit(sessionId: string, madeAt: Date): Promise<Client> {
  const client = await server.postgres.connect(server.url);
  await client.query('begin');
  await client.query(`insert into changes (kind, subject, made_at) values ('SESSION_REVOKED', $1, $2)`, [
    sessionId,
    madeAt.getTime(),
  ]);
  return client;
}

const FEEDS = `from pg_stat_activity where application_name = 'bandha feed' and datname = current_database()`;
const disconnectFeeds = () => query(`select pg_terminate_backend(pid) ${FEEDS}`);
const untilFeedsAre = (count: number) =>
  vi.waitUntil(async () => (await query(`select ${FEEDS}`)).length === count, WAIT_OPTIONS);

/** Ends the feeds' connections, and rejects new ones while `run` runs. Other open connections are kept. */
async function whileDisconnected(run: () => Promise<void>): Promise<void> {
  const admin = new URL(server.url);
  admin.pathname = '/postgres';
  const name = new URL(server.url).pathname.slice(1);
  const own = await server.postgres.connect(server.url);
  await server.postgres.query(admin.href, `alter database ${name} allow_connections false`);
  try {
    await own.query(`select pg_terminate_backend(pid) ${FEEDS}`);
    await vi.waitUntil(async () => (await own.query(`select ${FEEDS}`)).rowCount === 0, WAIT_OPTIONS);
    await run();
  } finally {
    await server.postgres.query(admin.href, `alter database ${name} allow_connections true`);
    await own.end();
  }
}

describe('events of transactions that commit out of order', () => {
  it('publishes an event once it is committed, not before', async () => {
    const [here, there] = [await open(), await open()];
    const { revokeNext } = await prepareRevocations(there, 2);
    const { events, waitFor } = await subscribeTo(here, NOW);
    const [first, second] = [
      await recordWithoutCommit('first', LONG_AGO),
      await recordWithoutCommit('second', LONG_AGO),
    ];
    await waitFor(isRevocationOf(await revokeNext(LONG_AGO)));
    await second.query('commit');
    await waitFor(isRevocationOf('second'));
    await waitFor(isRevocationOf(await revokeNext(LONG_AGO)));
    expect(revokedSessionIds(events)).not.toContain('first');
    await first.query('commit');
    await waitFor(isRevocationOf('first'));
    // Each event exactly once.
    expect(revokedSessionIds(events).toSorted()).toEqual([...new Set(revokedSessionIds(events))].toSorted());
    await Promise.all([first.end(), second.end()]);
  });

  it('publishes no event that is rolled back', async () => {
    const [here, there] = [await open(), await open()];
    const { revokeNext } = await prepareRevocations(there, 1);
    const { events, waitFor } = await subscribeTo(here, NOW);
    const rolledBack = await recordWithoutCommit('rolled back', NOW);
    await rolledBack.query('rollback');
    await rolledBack.end();
    const id = await revokeNext();
    await waitFor(isRevocationOf(id));
    expect(revokedSessionIds(events)).toEqual([id]);
  });

  it('publishes an event recorded before, committed after the subscription', async () => {
    const here = await open();
    const early = await recordWithoutCommit('early', LONG_AGO);
    const { events, waitFor } = await subscribeTo(here, NOW);
    expect(events).toEqual([]);
    await early.query('commit');
    await waitFor(isRevocationOf('early'));
    await early.end();
  });

  it('publishes an event committed while the connection was broken', async () => {
    const here = await open();
    const { waitFor } = await subscribeTo(here, NOW);
    const early = await recordWithoutCommit('early', LONG_AGO);
    await whileDisconnected(async () => {
      await early.query('commit');
    });
    await waitFor(isRevocationOf('early'));
    await early.end();
  });

  it('publishes many events that commit in any order', async () => {
    const here = await open();
    const { events, waitFor } = await subscribeTo(here, NOW);
    const ids = Array.from({ length: 20 }, () => crypto.randomUUID());
    const pending = await Promise.all(ids.map((id) => recordWithoutCommit(id, LONG_AGO)));
    const order = pending.map((_, i) => (i * 7) % pending.length);
    for (const i of order) {
      await pending[i]?.query('commit');
      if (i % 3 === 0) await waitFor(isRevocationOf(ids[i] ?? ''));
      if (i === 9) await disconnectFeeds();
    }
    await Promise.all(ids.map((id) => waitFor(isRevocationOf(id))));
    expect(new Set(revokedSessionIds(events))).toEqual(new Set(ids));
    await Promise.all(pending.map((client) => client.end()));
  });
});

describe('a feed whose connection the server ends', () => {
  it('publishes events of the meantime when it reconnects, whatever their time', async () => {
    const [here, there] = [await open(), await open()];
    const { user, ids, revokeNext } = await prepareRevocations(there, 3);
    const { events, waitFor } = await subscribeTo(here, NOW);
    let syncedAt = Infinity;
    await whileDisconnected(async () => {
      const disconnectedSince = performance.now();
      for (const now of [NOW, LONG_AGO, after(100_000)]) await revokeNext(now);
      await there.changeRoles(user.emailKey, { add: ['author'] }, LONG_AGO);
      await there.addSigningKeys([newKey('current')], LONG_AGO);
      syncedAt = here.feedSyncedAt();
      expect(syncedAt).toBeLessThan(disconnectedSince);
      expect(events).toEqual([]);
    });
    for (const id of ids) await waitFor(isRevocationOf(id));
    await waitFor(isRolesChangeOf(user.id, ['author']));
    await waitFor(isKeysChanged);
    expect(here.feedSyncedAt()).toBeGreaterThan(syncedAt);
    await untilFeedsAre(1);
  });

  it('misses no event, however often the connection ends', async () => {
    const [here, there] = [await open(), await open()];
    const { ids, revokeNext } = await prepareRevocations(there, 30);
    const { waitFor } = await subscribeTo(here, NOW);
    for (const [i] of ids.entries()) {
      await revokeNext(LONG_AGO);
      if (i % 5 === 0) await disconnectFeeds();
    }
    await Promise.all(ids.map((id) => waitFor(isRevocationOf(id))));
  });

  it('reads events by time if a new server numbers transactions differently', async () => {
    const here = await open();
    const { events, waitFor } = await subscribeTo(here, NOW);
    const record = (id: string, madeAt: Date) =>
      query(`insert into changes (kind, subject, made_at, transaction_id)
         values ('SESSION_REVOKED', '${id}', ${madeAt.getTime()}, '3')`);
    // Recorded by a server with lower transaction ids.
    await record('old', LONG_AGO);
    await record('new', NOW);
    await disconnectFeeds();
    await waitFor(isRevocationOf('new'));
    expect(revokedSessionIds(events)).not.toContain('old');
  });

  it('calls since again when it reconnects', async () => {
    const here = await open();
    let since = NOW;
    const revoked: string[] = [];
    await here.subscribe(
      (event) => void (event.kind === 'SESSION_REVOKED' && revoked.push(event.sessionId)),
      () => since,
    );
    since = after(60);
    const insert = `insert into changes (kind, subject, made_at, transaction_id) values`;
    await query(`${insert} ('SESSION_REVOKED', 'before', ${NOW.getTime()}, '3'),
        ('SESSION_REVOKED', 'after', ${since.getTime()}, '3')`);
    await disconnectFeeds();
    await vi.waitUntil(() => revoked.length > 0, WAIT_OPTIONS);
    expect(revoked).toEqual(['after']);
  });

  it('publishes events of a new server with lower transaction ids', async () => {
    const proxy = await server.startProxy();
    const here = await open({ through: proxy });
    const { waitFor } = await subscribeTo(here, NOW);
    await query('do $$ begin for i in 1..5000 loop perform pg_current_xact_id(); commit; end loop; end $$');
    const advancedAt = performance.now();
    await vi.waitUntil(() => here.feedSyncedAt() > advancedAt, WAIT_OPTIONS);
    const successor = await startPostgres(['-c', 'fsync=off']);
    const url = new URL(await successor.createDatabase());
    const name = new URL(server.url).pathname.slice(1);
    const admin = new URL('/postgres', url).href;
    await successor.query(admin, `alter database ${url.pathname.slice(1)} rename to ${name}`);
    url.pathname = `/${name}`;
    const there = await openStore(url.href);
    const { revokeNext } = await prepareRevocations(there, 2);
    proxy.switchTo(Number(url.port));
    await waitFor(isRevocationOf(await revokeNext()));
    const receivedAt = performance.now();
    await vi.waitUntil(() => here.feedSyncedAt() > receivedAt, WAIT_OPTIONS);
    await waitFor(isRevocationOf(await revokeNext(LONG_AGO)));
    await Promise.all([there.close(), here.close()]);
    await successor.remove();
  });

  it('continues when the server is restarted', async () => {
    const [here, there] = [await open(), await open()];
    const { revokeNext } = await prepareRevocations(there, 2);
    const { waitFor } = await subscribeTo(here, NOW);
    await waitFor(isRevocationOf(await revokeNext()));
    await server.whileStopped(async () => {});
    await waitFor(isRevocationOf(await revokeNext()));
  });
});

describe('a feed whose connection is silent', () => {
  it('detects the silence, and publishes missed events when it reconnects', async () => {
    const proxy = await server.startProxy();
    const there = await open();
    const here = await open({ through: proxy, connectTimeoutSeconds: 0.5 });
    const { ids, revokeNext } = await prepareRevocations(there, 4);
    const { events, waitFor } = await subscribeTo(here, NOW);
    await waitFor(isRevocationOf(await revokeNext()));
    proxy.goSilent();
    const silentSince = performance.now();
    await revokeNext(LONG_AGO);
    await revokeNext();
    // Several attempts to reconnect do not reach the server either.
    await vi.waitUntil(() => proxy.connections() > 3, WAIT_OPTIONS);
    expect(here.feedSyncedAt()).toBeLessThan(silentSince);
    expect(events).toHaveLength(1);
    proxy.forward();
    await Promise.all(ids.slice(0, 3).map((id) => waitFor(isRevocationOf(id))));
    await vi.waitUntil(() => here.feedSyncedAt() > silentSince, WAIT_OPTIONS);
    await waitFor(isRevocationOf(await revokeNext()));
  });

  it('a store with a silent feed can be closed', async () => {
    const proxy = await server.startProxy();
    const here = await open({ through: proxy, connectTimeoutSeconds: 0.5 });
    await subscribeTo(here, NOW);
    proxy.goSilent();
    await here.close();
  });
});

describe('many thousands of events', () => {
  const insertEvents = (count: number, madeAt: Date) =>
    query(`insert into changes (kind, subject, made_at)
      select 'SESSION_REVOKED', 'of ${madeAt.getTime()}: ' || number, ${madeAt.getTime()}
      from generate_series(1, ${count}) as number`);

  it('publishes many thousands of events, replayed or live', async () => {
    const here = await open();
    await insertEvents(12_001, NOW);
    const { events, waitFor } = await subscribeTo(here, NOW);
    expect(new Set(revokedSessionIds(events)).size).toBe(12_001);
    await insertEvents(10_000, LONG_AGO);
    await insertEvents(1, after(1));
    await waitFor(isRevocationOf(`of ${after(1).getTime()}: 1`));
    await vi.waitUntil(() => new Set(revokedSessionIds(events)).size === 22_002, WAIT_OPTIONS);
  });
});

describe('an event of an unknown kind, of a newer version', () => {
  it('the feed skips events of unknown kinds, replayed or live', async () => {
    const insertEvents = (kind: string) =>
      query(`insert into changes (kind, subject, made_at) values ('${kind}', 'it', ${NOW.getTime()})`);
    const here = await open();
    await insertEvents('SOMETHING_NEW');
    const { events, waitFor } = await subscribeTo(here, NOW);
    await insertEvents('SOMETHING_NEW');
    await insertEvents('SESSION_REVOKED');
    await waitFor(isRevocationOf('it'));
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['SESSION_REVOKED']));
  });
});

describe('an event that was inserted by hand', () => {
  it('the feed publishes events that were inserted by hand', async () => {
    const { waitFor } = await subscribeTo(await open(), NOW);
    await query(`insert into changes (kind, subject, made_at) values ('SESSION_REVOKED', 'by hand', 0)`);
    await waitFor(isRevocationOf('by hand'));
  });
});
