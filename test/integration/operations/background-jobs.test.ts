// Background jobs remove expired data, keep what clients may still need, and run on one instance at a time.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type BackgroundJobs,
  type BackgroundJobsDeps,
  createBackgroundJobs,
} from '../../../src/operations/background-jobs.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { rotateKeys } from '../../../src/tokens/keys/rotation.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { withFolder } from '../../support/server-process.ts';
import { startTestServer, TEST_SECRET } from '../../support/test-server.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Seconds after which another instance takes over from one that crashed during a run. */
const LEASE = 60;
const CONFIG = { keyMaxAgeSeconds: 30 * DAY, accessTtlSeconds: 600, sessionIdleSeconds: 7 * DAY };
const START = new Date('2026-01-31T12:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);
const ago = (seconds: number) => after(-seconds);
const secrets = createSecrets(TEST_SECRET);
const log = pino({ level: 'silent' });

let clock: { now: Date };
let stores: [Store, Store];
let file: string;
let allJobs: BackgroundJobs[];
let finish: () => Promise<void>;
beforeEach(async () => {
  clock = { now: START };
  allJobs = [];
  const [opened, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const finished = withFolder(async (folder) => {
    file = join(folder, 'bandha.db');
    stores = [await openStore(`sqlite:${file}`), await openStore(`sqlite:${file}`)];
    opened.resolve();
    await done.promise;
    await Promise.all(allJobs.map((jobs) => jobs.stop()));
    await Promise.all(stores.map((store) => store.close()));
  });
  finish = () => {
    done.resolve();
    return finished;
  };
  await Promise.race([opened.promise, finished]);
});
afterEach(() => finish());

/** Creates the jobs of an instance on one of the two stores. */
function createJobs(store: Store, changes: Partial<BackgroundJobsDeps> = {}): BackgroundJobs {
  const jobs = createBackgroundJobs({
    store,
    secrets,
    config: CONFIG,
    log,
    now: () => clock.now,
    ...changes,
  });
  allJobs.push(jobs);
  return jobs;
}

async function addUser(): Promise<string> {
  const id = crypto.randomUUID();
  const [email, passwordHash] = [`${id}@example.com`, '$argon2id$hash'];
  await stores[0].createUser({
    id,
    email,
    emailKey: email,
    passwordHash,
    roles: [],
    createdAt: ago(99 * DAY),
  });
  return id;
}

/** Adds a session that began long ago, was just used, and ends in a month, unless `changes` differ. */
async function addSession(userId: string, changes: Partial<Session> = {}): Promise<string> {
  const session: Session = {
    id: crypto.randomUUID(),
    userId,
    generation: 1,
    createdAt: ago(60 * DAY),
    authenticatedAt: ago(60 * DAY),
    lastUsedAt: START,
    expiresAt: after(30 * DAY),
    revokedAt: undefined,
    userAgent: undefined,
    ipAddress: undefined,
    ...changes,
  };
  expect(await stores[0].createSession(session)).toBe(true);
  return session.id;
}
const isKept = async (id: string) => (await stores[0].findSessionStatus(id)) !== undefined;

/** Adds many sessions in one transaction; all of them ended long ago. */
async function addManyEnded(count: number): Promise<void> {
  const userId = await addUser();
  const database = new DatabaseSync(file);
  database.exec('begin');
  const insert = database.prepare(
    `insert into sessions (id, user_id, generation, created_at, authenticated_at, last_used_at, expires_at)
     values (?, ?, 1, 0, 0, 0, 0)`,
  );
  for (let i = 0; i < count; i += 1) insert.run(crypto.randomUUID(), userId);
  database.exec('commit');
  database.close();
}
function countRows(table: 'sessions' | 'changes' | 'leases'): number {
  const database = new DatabaseSync(file);
  const row = database.prepare(`select count(*) as count from ${table}`).get();
  database.close();
  return Number(row?.count);
}

describe('a session', () => {
  const LONG_AGO = DAY + 0.001;

  it.each<[string, Partial<Session>]>([
    ['was revoked', { revokedAt: ago(LONG_AGO), lastUsedAt: ago(2 * DAY) }],
    ['expired', { expiresAt: ago(LONG_AGO), lastUsedAt: ago(2 * DAY) }],
    ['became idle', { lastUsedAt: ago(7 * DAY + LONG_AGO) }],
    [
      'was revoked after it expired',
      { revokedAt: ago(1), expiresAt: ago(LONG_AGO), lastUsedAt: ago(2 * DAY) },
    ],
  ])('the run removes a session that %s more than a day ago', async (_, changes) => {
    const id = await addSession(await addUser(), changes);
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedSessions: 1 });
    expect(await isKept(id)).toBe(false);
  });

  it.each<[string, Partial<Session>]>([
    ['was revoked', { revokedAt: ago(DAY), lastUsedAt: ago(2 * DAY) }],
    ['expired', { expiresAt: ago(DAY), lastUsedAt: ago(2 * DAY) }],
    ['became idle', { lastUsedAt: ago(8 * DAY) }],
  ])('the run keeps a session that %s a day ago, for the reason in errors', async (_, changes) => {
    const id = await addSession(await addUser(), changes);
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedSessions: 0 });
    expect(await isKept(id)).toBe(true);
  });

  it.each<[string, Partial<Session>]>([
    ['was used just now', {}],
    ['becomes idle in a moment', { lastUsedAt: ago(7 * DAY - 0.001) }],
    ['ends in a moment', { expiresAt: after(0.001) }],
  ])('the run keeps a live session that %s', async (_, changes) => {
    const id = await addSession(await addUser(), changes);
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedSessions: 0 });
    expect(await isKept(id)).toBe(true);
  });

  it('the run keeps ended sessions longer if access tokens live longer', async () => {
    const userId = await addUser();
    const revokedAgo = (seconds: number) => ({ revokedAt: ago(seconds), lastUsedAt: ago(9 * DAY) });
    const config = { ...CONFIG, accessTtlSeconds: 2 * DAY, sessionIdleSeconds: 99 * DAY };
    const kept = await addSession(userId, revokedAgo(4 * DAY));
    const removed = await addSession(userId, revokedAgo(4 * DAY + 1));
    await createJobs(stores[0], { config }).runOnce();
    expect([await isKept(kept), await isKept(removed)]).toEqual([true, false]);
  });

  it('the run finds all ended sessions among many', async () => {
    const userId = await addUser();
    await addManyEnded(1_200);
    const live = await Promise.all(Array.from({ length: 20 }, () => addSession(userId)));
    await addManyEnded(300);
    const report = await createJobs(stores[0]).runOnce();
    expect(report?.removedSessions).toBe(1_500);
    expect(countRows('sessions')).toBe(20);
    for (const id of live) expect(await isKept(id)).toBe(true);
  });
});

describe('events of the feed', () => {
  it('the run removes events older than a day, and a new subscriber gets the others', async () => {
    const userId = await addUser();
    const [old, recent] = [await addSession(userId), await addSession(userId)];
    const idleSeconds = CONFIG.sessionIdleSeconds;
    await stores[0].revokeSession({ sessionId: old }, START, idleSeconds);
    await stores[0].revokeSession({ sessionId: recent }, after(2), idleSeconds);
    clock.now = after(DAY + 1);
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedFeedEvents: 1 });
    const received: unknown[] = [];
    await stores[1].subscribe(
      (event) => received.push(event),
      () => START,
    );
    expect(received).toEqual([{ kind: 'SESSION_REVOKED', sessionId: recent, revokedAt: after(2) }]);
  });

  it('the run removes any number of old events', async () => {
    const database = new DatabaseSync(file);
    database.exec('begin');
    const insert = database.prepare(
      "insert into changes (kind, subject, made_at) values ('SESSION_REVOKED', ?, 0)",
    );
    for (let i = 0; i < 1_100; i += 1) insert.run(crypto.randomUUID());
    database.exec('commit');
    database.close();
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedFeedEvents: 1_100 });
    expect(countRows('changes')).toBe(0);
  });
});

describe('known networks', () => {
  it('the run removes networks 90 days after their last use', async () => {
    const [userId, idleSeconds] = [await addUser(), CONFIG.sessionIdleSeconds];
    const used = [ago(90 * DAY + 0.001), ago(90 * DAY), START];
    for (const [i, createdAt] of used.entries()) {
      const id = crypto.randomUUID();
      const times = { createdAt, authenticatedAt: createdAt, lastUsedAt: START, expiresAt: after(DAY) };
      const unknown = { revokedAt: undefined, userAgent: undefined, ipAddress: undefined };
      await stores[0].createSession({ id, userId, generation: 1, ...times, ...unknown }, `network ${i}`);
    }
    expect(await createJobs(stores[0]).runOnce()).toMatchObject({ removedNetworks: 1 });
    expect(await createJobs(stores[1]).runOnce()).toBeUndefined();
    expect(await stores[0].listLiveSessions(userId, START, idleSeconds)).toHaveLength(3);
  });
});

describe('the signing keys', () => {
  it('a retired key leaves the JWK Set an hour after its last token expires', async () => {
    const now = () => clock.now;
    const keyring = await openKeyring(stores[0], secrets, 'EdDSA', now);
    const retired = keyring.current.kid;
    await rotateKeys({ store: stores[0], secrets, now });
    const jobs = createJobs(stores[0]);
    const published = async () => {
      await keyring.reload();
      return keyring.jwks.keys.map(({ kid }) => kid);
    };
    const { accessTtlSeconds } = CONFIG;

    clock.now = after(accessTtlSeconds + HOUR);
    expect(await jobs.runOnce()).toMatchObject({ removedKeys: 0 });
    expect(await published()).toContain(retired);
    clock.now = after(accessTtlSeconds + 2 * HOUR);
    expect(await jobs.runOnce()).toMatchObject({ removedKeys: 1, rotatedKeys: false });
    const left = await published();
    expect(left).not.toContain(retired);
    expect(left).toHaveLength(2);
    expect(left).toContain(keyring.current.kid);
  });

  it('a running server no longer publishes a retired key that was removed', async () => {
    const server = await startTestServer();
    try {
      const kids = async () => {
        const { keys } = await (await fetch(`${server.url}/.well-known/jwks.json`)).json();
        return keys.map(({ kid }: { kid: string }) => kid);
      };
      const { store } = server.bandha;
      const [first] = (await store.listSigningKeys()).filter(({ status }) => status === 'current');
      const now = () => server.clock.now;
      await rotateKeys({ store, secrets, now });
      await expect.poll(kids).toHaveLength(3);
      server.clock.now = new Date(now().getTime() + DAY * 1000);
      expect(await createJobs(store, { now }).runOnce()).toMatchObject({ removedKeys: 1 });
      await expect.poll(kids).toHaveLength(2);
      expect(await kids()).not.toContain(first?.kid);
    } finally {
      await server.close();
    }
  });

  it('the run rotates the keys when the current one is old enough', async () => {
    const keyring = await openKeyring(stores[0], secrets, 'EdDSA', () => clock.now);
    const { kid } = keyring.current;
    const [first, second] = stores.map((store) => createJobs(store));
    clock.now = after(CONFIG.keyMaxAgeSeconds - 1);
    expect(await first?.runOnce()).toMatchObject({ rotatedKeys: false });
    clock.now = after(CONFIG.keyMaxAgeSeconds + HOUR);
    expect(await second?.runOnce()).toMatchObject({ rotatedKeys: true, removedKeys: 0 });
    await keyring.reload();
    expect(keyring.current.kid).not.toBe(kid);
    expect(keyring.jwks.keys.map((key) => key.kid)).toContain(kid);
  });
});

describe('the lease', () => {
  it('one of two instances runs the jobs at a time', async () => {
    await addManyEnded(600);
    const reports = await Promise.all(stores.map((store) => createJobs(store).runOnce()));
    expect(reports.filter((report) => report !== undefined)).toEqual([
      {
        removedSessions: 600,
        removedFeedEvents: 0,
        removedKeys: 0,
        removedNetworks: 0,
        rotatedKeys: false,
        isComplete: true,
      },
    ]);
  });

  it('the first instance to try after an hour runs the jobs', async () => {
    const [first, second] = stores.map((store) => createJobs(store));
    const isDone = async (jobs: BackgroundJobs | undefined, seconds: number) => {
      clock.now = after(seconds);
      return (await jobs?.runOnce()) !== undefined;
    };
    expect(await isDone(first, 0)).toBe(true);
    expect(await isDone(first, 1)).toBe(false);
    expect(await isDone(second, 1)).toBe(false);
    expect(await isDone(second, HOUR - 0.001)).toBe(false);
    expect(await isDone(second, HOUR)).toBe(true);
    expect(await isDone(first, HOUR + 1)).toBe(false);
    expect(await isDone(second, 2 * HOUR - 1)).toBe(false);
    expect(await isDone(first, 2 * HOUR)).toBe(true);
  });

  it('another instance takes over after the lease of one that crashed', async () => {
    await addManyEnded(600);
    const crashing: Store = {
      ...stores[0],
      async removeEndedSessions(request) {
        await stores[0].removeEndedSessions(request);
        throw new Error('The process is gone');
      },
    };
    await expect(createJobs(crashing).runOnce()).rejects.toThrow('The process is gone');
    const successor = createJobs(stores[1]);
    clock.now = after(LEASE - 0.001);
    expect(await successor.runOnce()).toBeUndefined();
    clock.now = after(LEASE);
    expect(await successor.runOnce()).toMatchObject({ removedSessions: 100 });
    expect(countRows('sessions')).toBe(0);
  });

  it('a long run renews its lease', async () => {
    await addManyEnded(1_200);
    const other = createJobs(stores[1]);
    const seen: unknown[] = [];
    const slow: Store = {
      ...stores[0],
      async removeEndedSessions(request) {
        clock.now = new Date(clock.now.getTime() + (LEASE - 1) * 1000);
        seen.push(await other.runOnce());
        return stores[0].removeEndedSessions(request);
      },
    };
    expect(await createJobs(slow).runOnce()).toMatchObject({ removedSessions: 1_200 });
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('a run ends early if another instance has taken over', async () => {
    await addManyEnded(1_200);
    const other = createJobs(stores[1]);
    const suspended: Store = {
      ...stores[0],
      async removeEndedSessions(request) {
        const removed = await stores[0].removeEndedSessions(request);
        clock.now = after(LEASE); // like a machine that was suspended
        await other.runOnce();
        return removed;
      },
    };
    const report = await createJobs(suspended).runOnce();
    expect(report).toMatchObject({ removedSessions: 500, isComplete: false });
    expect(countRows('sessions')).toBe(0);
    // The other instance has the lease for an hour.
    clock.now = after(LEASE + HOUR - 1);
    expect(await createJobs(stores[0]).runOnce()).toBeUndefined();
  });

  it('a run ends early when it is stopped, and another instance does the rest', async () => {
    await addManyEnded(1_200);
    const stopping: Store = {
      ...stores[0],
      async removeEndedSessions(request) {
        const removed = await stores[0].removeEndedSessions(request);
        await jobs.stop();
        return removed;
      },
    };
    const jobs = createJobs(stopping);
    expect(await jobs.runOnce()).toMatchObject({ removedSessions: 500, isComplete: false });
    expect(countRows('sessions')).toBe(700);
    clock.now = after(LEASE);
    expect(await jobs.runOnce()).toBeUndefined();
    expect(await createJobs(stores[1]).runOnce()).toMatchObject({
      removedSessions: 700,
      isComplete: true,
    });
  });
});

describe('an instance', () => {
  const CHECK_INTERVAL_MS = 60_000;
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  /** Creates a log with promises of two of its messages. */
  function createLog() {
    const [done, failed] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    const lines = pino(
      { level: 'debug' },
      {
        write(line: string) {
          const { msg, reason } = JSON.parse(line);
          if (msg === 'background jobs ran') done.resolve();
          if (msg.startsWith('background jobs interrupted')) failed.resolve(reason);
        },
      },
    );
    return { lines, done: done.promise, failed: failed.promise };
  }

  it('checks every minute whether the jobs are due', async () => {
    await addManyEnded(10);
    const { lines, done } = createLog();
    createJobs(stores[0], { log: lines });
    vi.advanceTimersByTime(CHECK_INTERVAL_MS - 1);
    expect(countRows('leases')).toBe(0);
    vi.advanceTimersByTime(1);
    await done;
    expect(countRows('sessions')).toBe(0);
  });

  it('logs an error and continues to check', async () => {
    const { lines, done, failed } = createLog();
    const broken = vi.fn(stores[0].removeFeedEvents).mockRejectedValueOnce(new Error('The disk is full'));
    createJobs({ ...stores[0], removeFeedEvents: broken }, { log: lines });
    vi.advanceTimersByTime(CHECK_INTERVAL_MS);
    expect(await failed).toBe('The disk is full');
    clock.now = after(LEASE);
    vi.advanceTimersByTime(CHECK_INTERVAL_MS);
    await done;
  });

  it('stop waits for the current run and ends the checks', async () => {
    const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: Store = {
      ...stores[0],
      async removeEndedSessions(request) {
        begun.resolve();
        await go.promise;
        return stores[0].removeEndedSessions(request);
      },
    };
    const jobs = createJobs(slow);
    vi.advanceTimersByTime(CHECK_INTERVAL_MS);
    await begun.promise;
    let isStopped = false;
    const stopped = jobs.stop().then(() => {
      isStopped = true;
    });
    await stores[0].ping();
    expect(isStopped).toBe(false);
    go.resolve();
    await stopped;
    expect(vi.getTimerCount()).toBe(0);
  });
});
