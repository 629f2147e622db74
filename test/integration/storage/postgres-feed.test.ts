// How changes are heard on PostgreSQL: in whatever order transactions commit, and across everything that breaks.
import type { Client } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { startPostgres } from '../../support/postgres.ts';
import {
  after,
  follow,
  IDLE_SECONDS,
  isOfKeys,
  isRevocationOf,
  isRolesOf,
  NOW,
  newKey,
  newSession,
  newUser,
  revokedIn,
} from './contract/fixture.ts';
import { LIMIT, usePostgres } from './use-postgres.ts';

/** Whatever is told of it was not read by its time. */
const LONG_AGO = after(-100_000);

const server = usePostgres();
const { open, query } = server;

/** Makes sessions and gives what ends the next of them, at an instant. */
async function prepareEndings(store: Store, count: number) {
  const user = newUser({ roles: [] });
  await store.createUser(user);
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  for (const id of ids) await store.createSession(newSession(user.id, { id }));
  const left = [...ids];
  async function endNext(now = NOW): Promise<string> {
    const sessionId = left.shift() ?? '';
    await store.revokeSession({ sessionId }, now, IDLE_SECONDS);
    return sessionId;
  }
  return { user, ids, endNext };
}

/** A transaction of somebody's that has noted a change and does not end. */
async function noteWithoutCommit(sessionId: string, madeAt: Date): Promise<Client> {
  const client = await server.postgres.connect(server.url);
  await client.query('begin');
  await client.query(`insert into changes (kind, subject, made_at) values ('SESSION_REVOKED', $1, $2)`, [
    sessionId,
    madeAt.getTime(),
  ]);
  return client;
}

const FEEDS = `from pg_stat_activity where application_name = 'bandha feed' and datname = current_database()`;
const cutFeeds = () => query(`select pg_terminate_backend(pid) ${FEEDS}`);
const untilFeedsAre = (count: number) =>
  vi.waitUntil(async () => (await query(`select ${FEEDS}`)).length === count, LIMIT);

/** The feed's connection is ended, and it gets no other one while `use` runs. Who has a connection keeps it. */
async function whileAway(use: () => Promise<void>): Promise<void> {
  const admin = new URL(server.url);
  admin.pathname = '/postgres';
  const name = new URL(server.url).pathname.slice(1);
  const own = await server.postgres.connect(server.url);
  await server.postgres.query(admin.href, `alter database ${name} allow_connections false`);
  try {
    await own.query(`select pg_terminate_backend(pid) ${FEEDS}`);
    await vi.waitUntil(async () => (await own.query(`select ${FEEDS}`)).rowCount === 0, LIMIT);
    await use();
  } finally {
    await server.postgres.query(admin.href, `alter database ${name} allow_connections true`);
    await own.end();
  }
}

describe('what transactions commit in another order than that of their ids', () => {
  it('is told when it is committed, nothing of it before', async () => {
    const [here, there] = [await open(), await open()];
    const { endNext } = await prepareEndings(there, 2);
    const { changes, heard } = await follow(here, NOW);
    const [first, second] = [
      await noteWithoutCommit('begun first', LONG_AGO),
      await noteWithoutCommit('begun second', LONG_AGO),
    ];
    await heard(isRevocationOf(await endNext(LONG_AGO)));
    await second.query('commit');
    await heard(isRevocationOf('begun second'));
    await heard(isRevocationOf(await endNext(LONG_AGO)));
    expect(revokedIn(changes)).not.toContain('begun first');
    await first.query('commit');
    await heard(isRevocationOf('begun first'));
    // Once each.
    expect(revokedIn(changes).toSorted()).toEqual([...new Set(revokedIn(changes))].toSorted());
    await Promise.all([first.end(), second.end()]);
  });

  it('is not told of where it is rolled back', async () => {
    const [here, there] = [await open(), await open()];
    const { endNext } = await prepareEndings(there, 1);
    const { changes, heard } = await follow(here, NOW);
    const undone = await noteWithoutCommit('undone', NOW);
    await undone.query('rollback');
    await undone.end();
    const id = await endNext();
    await heard(isRevocationOf(id));
    expect(revokedIn(changes)).toEqual([id]);
  });

  it('is told where the following began in between', async () => {
    const here = await open();
    const early = await noteWithoutCommit('early', LONG_AGO);
    const { changes, heard } = await follow(here, NOW);
    expect(changes).toEqual([]);
    await early.query('commit');
    await heard(isRevocationOf('early'));
    await early.end();
  });

  it('is told where the connection broke in between', async () => {
    const here = await open();
    const { heard } = await follow(here, NOW);
    const early = await noteWithoutCommit('early', LONG_AGO);
    await whileAway(async () => {
      await early.query('commit');
    });
    await heard(isRevocationOf('early'));
    await early.end();
  });

  it('is told of many that commit as they please', async () => {
    const here = await open();
    const { changes, heard } = await follow(here, NOW);
    const ids = Array.from({ length: 20 }, () => crypto.randomUUID());
    const pending = await Promise.all(ids.map((id) => noteWithoutCommit(id, LONG_AGO)));
    const order = pending.map((_, i) => (i * 7) % pending.length);
    for (const i of order) {
      await pending[i]?.query('commit');
      if (i % 3 === 0) await heard(isRevocationOf(ids[i] ?? ''));
      if (i === 9) await cutFeeds();
    }
    await Promise.all(ids.map((id) => heard(isRevocationOf(id))));
    expect(new Set(revokedIn(changes))).toEqual(new Set(ids));
    await Promise.all(pending.map((client) => client.end()));
  });
});

describe('a feed whose connection is ended by the server', () => {
  it('catches up with what was done while it was away, whenever the clock says it was', async () => {
    const [here, there] = [await open(), await open()];
    const { user, ids, endNext } = await prepareEndings(there, 3);
    const { changes, heard } = await follow(here, NOW);
    let toldAt = Infinity;
    await whileAway(async () => {
      const awaySince = performance.now();
      for (const now of [NOW, LONG_AGO, after(100_000)]) await endNext(now);
      await there.changeRoles(user.emailKey, { add: ['author'] }, LONG_AGO);
      await there.addSigningKeys([newKey('current')], LONG_AGO);
      toldAt = here.feedSyncedAt();
      expect(toldAt).toBeLessThan(awaySince);
      expect(changes).toEqual([]);
    });
    for (const id of ids) await heard(isRevocationOf(id));
    await heard(isRolesOf(user.id, ['author']));
    await heard(isOfKeys);
    expect(here.feedSyncedAt()).toBeGreaterThan(toldAt);
    await untilFeedsAre(1);
  });

  it('misses nothing, however often that happens', async () => {
    const [here, there] = [await open(), await open()];
    const { ids, endNext } = await prepareEndings(there, 30);
    const { heard } = await follow(here, NOW);
    for (const [i] of ids.entries()) {
      await endNext(LONG_AGO);
      if (i % 5 === 0) await cutFeeds();
    }
    await Promise.all(ids.map((id) => heard(isRevocationOf(id))));
  });

  it('reads by time what a server that took over has numbered anew', async () => {
    const here = await open();
    const { changes, heard } = await follow(here, NOW);
    const note = (id: string, madeAt: Date) =>
      query(`insert into changes (kind, subject, made_at, transaction_id)
         values ('SESSION_REVOKED', '${id}', ${madeAt.getTime()}, '3')`);
    // Noted on a server that had got less far.
    await note('old', LONG_AGO);
    await note('new', NOW);
    await cutFeeds();
    await heard(isRevocationOf('new'));
    expect(revokedIn(changes)).not.toContain('old');
  });

  it('asks again from when on changes matter', async () => {
    const here = await open();
    let since = NOW;
    const told: string[] = [];
    await here.subscribe(
      (change) => void (change.kind === 'SESSION_REVOKED' && told.push(change.sessionId)),
      () => since,
    );
    since = after(60);
    const numbered = `insert into changes (kind, subject, made_at, transaction_id) values`;
    await query(`${numbered} ('SESSION_REVOKED', 'before', ${NOW.getTime()}, '3'),
        ('SESSION_REVOKED', 'after', ${since.getTime()}, '3')`);
    await cutFeeds();
    await vi.waitUntil(() => told.length > 0, LIMIT);
    expect(told).toEqual(['after']);
  });

  it('hears of what is done on a server that took over and has counted less far', async () => {
    const proxy = await server.startProxy();
    const here = await open({ through: proxy });
    const { heard } = await follow(here, NOW);
    await query('do $$ begin for i in 1..5000 loop perform pg_current_xact_id(); commit; end loop; end $$');
    const countedAt = performance.now();
    await vi.waitUntil(() => here.feedSyncedAt() > countedAt, LIMIT);
    const successor = await startPostgres(['-c', 'fsync=off']);
    const url = new URL(await successor.createDatabase());
    const name = new URL(server.url).pathname.slice(1);
    const admin = new URL('/postgres', url).href;
    await successor.query(admin, `alter database ${url.pathname.slice(1)} rename to ${name}`);
    url.pathname = `/${name}`;
    const there = await openStore(url.href);
    const { endNext } = await prepareEndings(there, 2);
    proxy.switchTo(Number(url.port));
    await heard(isRevocationOf(await endNext()));
    const heardAt = performance.now();
    await vi.waitUntil(() => here.feedSyncedAt() > heardAt, LIMIT);
    await heard(isRevocationOf(await endNext(LONG_AGO)));
    await Promise.all([there.close(), here.close()]);
    await successor.remove();
  });

  it('goes on when the server is started again', async () => {
    const [here, there] = [await open(), await open()];
    const { endNext } = await prepareEndings(there, 2);
    const { heard } = await follow(here, NOW);
    await heard(isRevocationOf(await endNext()));
    await server.whileStopped(async () => {});
    await heard(isRevocationOf(await endNext()));
  });
});

describe('a feed whose connection is silently dead', () => {
  it('finds out, says how far it has told, and catches up when it can', async () => {
    const proxy = await server.startProxy();
    const there = await open();
    const here = await open({ through: proxy, connectTimeoutSeconds: 0.5 });
    const { ids, endNext } = await prepareEndings(there, 4);
    const { changes, heard } = await follow(here, NOW);
    await heard(isRevocationOf(await endNext()));
    proxy.fallSilent();
    const silentSince = performance.now();
    await endNext(LONG_AGO);
    await endNext();
    // Several tries to connect are as silent: the server sees none of them.
    await vi.waitUntil(() => proxy.connections() > 3, LIMIT);
    expect(here.feedSyncedAt()).toBeLessThan(silentSince);
    expect(changes).toHaveLength(1);
    proxy.forward();
    await Promise.all(ids.slice(0, 3).map((id) => heard(isRevocationOf(id))));
    await vi.waitUntil(() => here.feedSyncedAt() > silentSince, LIMIT);
    await heard(isRevocationOf(await endNext()));
  });

  it('does not keep its store from closing', async () => {
    const proxy = await server.startProxy();
    const here = await open({ through: proxy, connectTimeoutSeconds: 0.5 });
    await follow(here, NOW);
    proxy.fallSilent();
    await here.close();
  });
});

describe('many thousands of changes', () => {
  const make = (count: number, madeAt: Date) =>
    query(`insert into changes (kind, subject, made_at)
      select 'SESSION_REVOKED', 'of ${madeAt.getTime()}: ' || number, ${madeAt.getTime()}
      from generate_series(1, ${count}) as number`);

  it('are told as the past, and as they are made, none of them missing', async () => {
    const here = await open();
    await make(12_001, NOW);
    const { changes, heard } = await follow(here, NOW);
    expect(new Set(revokedIn(changes)).size).toBe(12_001);
    await make(10_000, LONG_AGO);
    await make(1, after(1));
    await heard(isRevocationOf(`of ${after(1).getTime()}: 1`));
    await vi.waitUntil(() => new Set(revokedIn(changes)).size === 22_002, LIMIT);
  });
});

describe('a change of a kind that a later version has brought', () => {
  it('is left out, as the past and as it is made', async () => {
    const make = (kind: string) =>
      query(`insert into changes (kind, subject, made_at) values ('${kind}', 'it', ${NOW.getTime()})`);
    const here = await open();
    await make('SOMETHING_NEW');
    const { changes, heard } = await follow(here, NOW);
    await make('SOMETHING_NEW');
    await make('SESSION_REVOKED');
    await heard(isRevocationOf('it'));
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['SESSION_REVOKED']));
  });
});

describe('a change that was made by hand', () => {
  it('is heard as any other', async () => {
    const { heard } = await follow(await open(), NOW);
    await query(`insert into changes (kind, subject, made_at) values ('SESSION_REVOKED', 'by hand', 0)`);
    await heard(isRevocationOf('by hand'));
  });
});
