// What becomes of the verbs when a connection to PostgreSQL is slow, silent or broken.
import { execFileSync } from 'node:child_process';
import { Kysely, sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { createOutageDetector } from '../../../src/storage/outage.ts';
import { postgresDialect } from '../../../src/storage/postgres/dialect.ts';
import { classifyPostgresError } from '../../../src/storage/postgres/errors.ts';
import { after, IDLE_SECONDS, NOW, newSession } from './contract/fixture.ts';
import { CALLS, everyVerb, fill, reasonOf, reasonsOf, rotation, session, user } from './every-method.ts';
import { LIMIT, usePostgres } from './use-postgres.ts';

const server = usePostgres();
const { open, query } = server;

describe('a statement that waits for longer than it may', () => {
  it('is refused as STORE_UNAVAILABLE, and others go on', async () => {
    const store = await open({ statementTimeoutSeconds: 0.3, poolSize: 1 });
    await fill(store);
    const holding = await server.postgres.connect(server.url);
    await holding.query('begin');
    await holding.query('select from sessions for update');
    expect(await reasonOf(CALLS.rotateSession(store))).toBe('STORE_UNAVAILABLE');
    expect(await reasonOf(CALLS.revokeAllSessions(store))).toBe('STORE_UNAVAILABLE');
    expect(await store.findSessionStatus(session.id)).toMatchObject({ revokedAt: undefined });
    expect(await store.createSession(newSession(user.id))).toBe(true);
    await holding.query('commit');
    await holding.end();
    expect(await store.rotateSession(rotation)).toMatchObject({ outcome: 'ROTATED' });
  });
});

describe('removing ended sessions', () => {
  const request = { before: after(1), idleSeconds: IDLE_SECONDS, after: undefined, limit: 10 };

  it('steps over those that somebody uses, instead of waiting', async () => {
    const store = await open();
    await fill(store);
    const [gone, used] = [newSession(user.id), newSession(user.id)];
    for (const one of [gone, used]) await store.createSession({ ...one, revokedAt: NOW });
    const holding = await server.postgres.connect(server.url);
    await holding.query('begin');
    await holding.query('select from sessions where id = $1 for update', [used.id]);
    expect(await store.removeEndedSessions({ ...request, limit: 3 })).toEqual({
      removed: 1,
      after: [gone, used, session].map(({ id }) => id).toSorted()[2],
    });
    await holding.query('commit');
    await holding.end();
    expect(await store.removeEndedSessions(request)).toEqual({ removed: 1, after: undefined });
  });

  it('leaves one that is used after it was looked at', async () => {
    const store = await open();
    await store.createUser(user);
    await store.createSession({ ...session, lastUsedAt: after(-IDLE_SECONDS) });
    const using = await server.postgres.connect(server.url);
    await using.query('begin');
    // Others may look at sessions meanwhile, and write to none.
    await using.query('lock table sessions in share row exclusive mode');
    const removed = store.removeEndedSessions(request);
    await vi.waitUntil(async () => (await query('select from pg_locks where not granted')).length > 0, LIMIT);
    await using.query('update sessions set last_used_at = $1', [after(1).getTime()]);
    await using.query('commit');
    await using.end();
    expect(await removed).toEqual({ removed: 0, after: undefined });
    expect(await store.findSessionStatus(session.id)).toBeDefined();
  });
});

describe('a connection that is silently dead', () => {
  it('is found out in bounded time, and replaced', async () => {
    const proxy = await server.startProxy();
    const store = await open({
      through: proxy,
      statementTimeoutSeconds: 0.3,
      connectTimeoutSeconds: 0.5,
      poolSize: 4,
    });
    await fill(store);
    expect(await reasonsOf(store)).toEqual(everyVerb(undefined));
    proxy.fallSilent();
    const silentSince = performance.now();
    // Some wait for a connection, others for an answer on one that is dead.
    expect(await reasonsOf(store)).toEqual(everyVerb('STORE_UNAVAILABLE'));
    expect(performance.now() - silentSince).toBeLessThan(30_000);
    expect(store.feedSyncedAt()).toBeLessThan(silentSince);
    proxy.forward();
    await vi.waitUntil(async () => (await reasonOf(store.ping())) === undefined, LIMIT);
    await vi.waitUntil(() => store.feedSyncedAt() > silentSince, LIMIT);
    expect(await reasonsOf(store)).toEqual(everyVerb(undefined));
  });

  it('does not keep a store from closing', async () => {
    const proxy = await server.startProxy();
    const store = await open({
      through: proxy,
      statementTimeoutSeconds: 0.3,
      connectTimeoutSeconds: 0.5,
    });
    expect(await reasonsOf(store)).toEqual(everyVerb(undefined));
    proxy.fallSilent();
    const underWay = reasonOf(store.ping());
    await store.close();
    expect(await underWay).toBe('STORE_UNAVAILABLE');
  });
});

describe('a connection that breaks between two statements of a transaction', () => {
  const backend = (pid: number) => `select from pg_stat_activity where pid = ${pid}`;
  const untilGone = (pid: number) =>
    vi.waitUntil(async () => (await query(backend(pid))).length === 0, LIMIT);

  /** The same, while nothing happens in this process. */
  function untilGoneSuspended(pid: number): void {
    execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import pg from ${JSON.stringify(import.meta.resolve('pg'))};
       const client = new pg.Client(${JSON.stringify(server.url)});
       await client.connect();
       while ((await client.query(${JSON.stringify(backend(pid))})).rowCount > 0);
       await client.end();`,
    ]);
  }

  it.each<[string, number, (pid: number) => Promise<void>]>([
    [
      'because somebody ended it',
      60_000,
      async (pid) => {
        await query(`select pg_terminate_backend(${pid})`);
        await untilGone(pid);
      },
    ],
    ['because the transaction lay idle', 200, async (pid) => void (await untilGone(pid))],
    ['because the process was suspended', 200, async (pid) => untilGoneSuspended(pid)],
  ])('%s, has the transaction refused and no process ended', async (_, statementTimeoutMs, untilBroken) => {
    const options = { url: server.url, poolSize: 1, statementTimeoutMs, connectTimeoutMs: 30_000 };
    const around = createOutageDetector(classifyPostgresError, pino({ level: 'silent' }));
    const db = new Kysely({ dialect: postgresDialect(options, around) });
    const ask = sql<{ pid: number }>`select pg_backend_pid() as pid`;
    const broken = db.transaction().execute(async (transaction) => {
      await untilBroken((await ask.execute(transaction)).rows[0]?.pid ?? 0);
      await ask.execute(transaction);
    });
    expect(await reasonOf(broken)).toBe('STORE_UNAVAILABLE');
    expect((await ask.execute(db)).rows).toHaveLength(1);
    await db.destroy();
  });
});
