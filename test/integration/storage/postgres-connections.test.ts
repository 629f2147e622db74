// Store methods while a connection to PostgreSQL is slow, silent or broken.
import { execFileSync } from 'node:child_process';
import { Kysely, sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { createOutageDetector } from '../../../src/storage/outage.ts';
import { postgresDialect } from '../../../src/storage/postgres/dialect.ts';
import { classifyPostgresError } from '../../../src/storage/postgres/errors.ts';
import { after, IDLE_SECONDS, NOW, newSession } from './contract/fixture.ts';
import {
  CALLS,
  collectReasons,
  createRecords,
  findReason,
  forEveryMethod,
  rotation,
  session,
  user,
} from './every-method.ts';
import { usePostgres, WAIT_OPTIONS } from './use-postgres.ts';

const server = usePostgres();
const { open, query } = server;

describe('statement timeout', () => {
  it('a timed-out statement fails with STORE_UNAVAILABLE, others succeed', async () => {
    const store = await open({ statementTimeoutSeconds: 0.3, poolSize: 1 });
    await createRecords(store);
    const locking = await server.postgres.connect(server.url);
    await locking.query('begin');
    await locking.query('select from sessions for update');
    expect(await findReason(CALLS.rotateSession(store))).toBe('STORE_UNAVAILABLE');
    expect(await findReason(CALLS.revokeAllSessions(store))).toBe('STORE_UNAVAILABLE');
    expect(await store.findSessionStatus(session.id)).toMatchObject({ revokedAt: undefined });
    expect(await store.createSession(newSession(user.id))).toBe(true);
    await locking.query('commit');
    await locking.end();
    expect(await store.rotateSession(rotation)).toMatchObject({ outcome: 'ROTATED' });
  });
});

describe('removing ended sessions', () => {
  const request = { before: after(1), idleSeconds: IDLE_SECONDS, after: undefined, limit: 10 };

  it('skips sessions that another transaction has locked', async () => {
    const store = await open();
    await createRecords(store);
    const [unlocked, locked] = [newSession(user.id), newSession(user.id)];
    for (const one of [unlocked, locked]) await store.createSession({ ...one, revokedAt: NOW });
    const locking = await server.postgres.connect(server.url);
    await locking.query('begin');
    await locking.query('select from sessions where id = $1 for update', [locked.id]);
    expect(await store.removeEndedSessions({ ...request, limit: 3 })).toEqual({
      removed: 1,
      after: [unlocked, locked, session].map(({ id }) => id).toSorted()[2],
    });
    await locking.query('commit');
    await locking.end();
    expect(await store.removeEndedSessions(request)).toEqual({ removed: 1, after: undefined });
  });

  it('keeps a session that is used after it was read', async () => {
    const store = await open();
    await store.createUser(user);
    await store.createSession({ ...session, lastUsedAt: after(-IDLE_SECONDS) });
    const using = await server.postgres.connect(server.url);
    await using.query('begin');
    // Others can read sessions, but not write.
    await using.query('lock table sessions in share row exclusive mode');
    const removed = store.removeEndedSessions(request);
    await vi.waitUntil(
      async () => (await query('select from pg_locks where not granted')).length > 0,
      WAIT_OPTIONS,
    );
    await using.query('update sessions set last_used_at = $1', [after(1).getTime()]);
    await using.query('commit');
    await using.end();
    expect(await removed).toEqual({ removed: 0, after: undefined });
    expect(await store.findSessionStatus(session.id)).toBeDefined();
  });
});

describe('a silent connection', () => {
  it('a silent connection fails within a bounded time, and is replaced', async () => {
    const proxy = await server.startProxy();
    const store = await open({
      through: proxy,
      statementTimeoutSeconds: 0.3,
      connectTimeoutSeconds: 0.5,
      poolSize: 4,
    });
    await createRecords(store);
    expect(await collectReasons(store)).toEqual(forEveryMethod(undefined));
    proxy.goSilent();
    const silentSince = performance.now();
    // Some calls wait for a connection, others for a response on a silent one.
    expect(await collectReasons(store)).toEqual(forEveryMethod('STORE_UNAVAILABLE'));
    expect(performance.now() - silentSince).toBeLessThan(30_000);
    expect(store.feedSyncedAt()).toBeLessThan(silentSince);
    proxy.forward();
    await vi.waitUntil(async () => (await findReason(store.ping())) === undefined, WAIT_OPTIONS);
    await vi.waitUntil(() => store.feedSyncedAt() > silentSince, WAIT_OPTIONS);
    expect(await collectReasons(store)).toEqual(forEveryMethod(undefined));
  });

  it('a store closes although its connection is silent', async () => {
    const proxy = await server.startProxy();
    const store = await open({
      through: proxy,
      statementTimeoutSeconds: 0.3,
      connectTimeoutSeconds: 0.5,
    });
    expect(await collectReasons(store)).toEqual(forEveryMethod(undefined));
    proxy.goSilent();
    const pending = findReason(store.ping());
    await store.close();
    expect(await pending).toBe('STORE_UNAVAILABLE');
  });
});

describe('a connection that breaks between two statements of a transaction', () => {
  const backend = (pid: number) => `select from pg_stat_activity where pid = ${pid}`;
  const untilGone = (pid: number) =>
    vi.waitUntil(async () => (await query(backend(pid))).length === 0, WAIT_OPTIONS);

  /** As `untilGone`, but blocks the event loop of this process. */
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
      'the server ended the connection',
      60_000,
      async (pid) => {
        await query(`select pg_terminate_backend(${pid})`);
        await untilGone(pid);
      },
    ],
    ['the transaction was idle for too long', 200, async (pid) => void (await untilGone(pid))],
    ['the process was suspended', 200, async (pid) => untilGoneSuspended(pid)],
  ])('fails the transaction, not the process, if %s', async (_, statementTimeoutMs, untilBroken) => {
    const options = { url: server.url, poolSize: 1, statementTimeoutMs, connectTimeoutMs: 30_000 };
    const interceptor = createOutageDetector(classifyPostgresError, pino({ level: 'silent' }));
    const db = new Kysely({ dialect: postgresDialect(options, interceptor) });
    const pidQuery = sql<{ pid: number }>`select pg_backend_pid() as pid`;
    const broken = db.transaction().execute(async (transaction) => {
      await untilBroken((await pidQuery.execute(transaction)).rows[0]?.pid ?? 0);
      await pidQuery.execute(transaction);
    });
    expect(await findReason(broken)).toBe('STORE_UNAVAILABLE');
    expect((await pidQuery.execute(db)).rows).toHaveLength(1);
    await db.destroy();
  });
});
