// The contract on SQLite, and what only SQLite has: files, permissions, several processes.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import { openSqlite } from '../../../src/storage/sqlite/dialect.ts';
import { prepareProcess } from '../../support/prepared-process.ts';
import { withFolder } from '../../support/server-process.ts';
import { revokedSessionIds, subscribeTo } from './contract/fixture.ts';
import { describeStore, newSession, newUser } from './store-contract.ts';

describeStore('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
  return {
    open: () => openStore(`sqlite:${join(folder, 'bandha.db')}`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

const NOW = new Date('2026-01-31T12:00:00Z');
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('the SQLite file', () => {
  it('creates a missing folder for this user only', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'deep', 'state');
      const store = await openStore(`sqlite:${join(path, 'bandha.db')}`);
      await store.createUser(newUser());
      expect(await modeOf(path)).toBe(0o700);
      await store.close();
    });
  });

  it('creates files for this user only, in an existing folder as well', async () => {
    await withFolder(async (folder) => {
      const store = await openStore(`sqlite:${join(folder, 'bandha.db')}`);
      await store.createUser(newUser());
      const files = await readdir(folder);
      expect(files).toContain('bandha.db');
      const modes = await Promise.all(files.map(async (file) => [file, await modeOf(join(folder, file))]));
      expect(modes).toEqual(files.map((file) => [file, 0o600]));
      await store.close();
    });
  });

  it('uses a write-ahead log, flushed at each commit', async () => {
    await withFolder(async (folder) => {
      const sqlite = await openSqlite(join(folder, 'bandha.db'));
      expect(sqlite.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
      expect(sqlite.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
      expect(sqlite.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
      sqlite.close();
    });
  });

  it('keeps everything when it is closed and opened again', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const user = newUser();
      const session = newSession(user.id, { createdAt: NOW });
      const first = await openStore(url);
      await first.createUser(user);
      await first.createSession(session);
      await first.close();
      const second = await openStore(url);
      expect((await second.findUserByEmail(user.emailKey))?.passwordHash).toBe(user.passwordHash);
      expect(await second.listLiveSessions(user.id, session.createdAt, 60)).toEqual([session]);
      await second.close();
    });
  });

  it('keeps a committed user when the process is killed', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const user = newUser();
      const child = await prepareProcess(
        `const store = await openStore(url);
         await store.createUser({ ...${JSON.stringify(user)}, createdAt: new Date(0) });
         process.kill(process.pid, 'SIGKILL');
         await new Promise(() => {});`,
        url,
      );
      expect(await child.run()).toMatchObject({ signal: 'SIGKILL' });
      const store = await openStore(url);
      expect(await store.findUserById(user.id)).toMatchObject({ email: user.email });
      await store.close();
    });
  });
});

describe('several processes on one SQLite file', () => {
  it('eight processes open an empty file concurrently', async () => {
    const script = 'const store = await openStore(url); await store.ping(); await store.close();';
    for (let round = 0; round < 3; round += 1) {
      await withFolder(async (folder) => {
        const url = `sqlite:${join(folder, 'made', 'bandha.db')}`;
        const children = await Promise.all(Array.from({ length: 8 }, () => prepareProcess(script, url)));
        const ended = await Promise.all(children.map((child) => child.run()));
        expect(ended).toEqual(ended.map(() => ({ code: 0, signal: null, error: '' })));
      });
    }
  });

  it('a later process completes a migration that was killed', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const child = await prepareProcess(
        `const { DatabaseSync } = await import('node:sqlite');
         const prepare = DatabaseSync.prototype.prepare;
         DatabaseSync.prototype.prepare = function (sql) {
           if (sql.startsWith('create table "sessions"')) process.kill(process.pid, 'SIGKILL');
           return prepare.call(this, sql);
         };
         await openStore(url);
         await new Promise((resolve) => setTimeout(resolve, 1e6));`,
        `sqlite:${path}`,
      );
      expect(await child.run()).toMatchObject({ signal: 'SIGKILL' });
      const store = await openStore(`sqlite:${path}`);
      expect(await store.hasUsers()).toBe(false);
      await store.close();
    });
  });

  it('four processes rotate one token once', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const store = await openStore(url);
      const user = newUser();
      const session = newSession(user.id);
      await store.createUser(user);
      await store.createSession(session);
      const script = `const store = await openStore(url);
        const request = { sessionId: '${session.id}', generation: 1, graceSeconds: 10, idleSeconds: 60 };
        const now = new Date(${session.createdAt.getTime()});
        const results = await Promise.all(
          Array.from({ length: 20 }, () => store.rotateSession({ ...request, now })));
        await store.close();
        process.exitCode = 10 + results.filter(({ outcome }) => outcome === 'ROTATED').length;
        if (!results.every((result) => result.session?.generation === 2)) process.exitCode = 2;`;
      const children = await Promise.all(Array.from({ length: 4 }, () => prepareProcess(script, url)));
      const ended = await Promise.all(children.map((child) => child.run()));
      expect(ended.map(({ code }) => code).toSorted()).toEqual([10, 10, 10, 11]);
      await store.close();
    });
  });

  it('a disabled account has no live session after concurrent logins', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const store = await openStore(url);
      const user = newUser();
      await store.createUser(user);
      const template = JSON.stringify(newSession(user.id));
      const signIn = await prepareProcess(
        `const store = await openStore(url);
         const at = new Date(${NOW.getTime()});
         const dates = { createdAt: at, authenticatedAt: at, lastUsedAt: at, expiresAt: new Date(+at + 1e6) };
         const session = () => ({ ...${template}, ...dates, id: crypto.randomUUID() });
         let made = 0;
         while (await store.createSession(session())) made += 1;
         await store.close();
         process.exitCode = made > 0 ? 0 : 1;`,
        url,
      );
      const signedIn = signIn.run();
      while ((await store.listLiveSessions(user.id, NOW, 60)).length < 5) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      const disabled = await store.disableUser(user.emailKey, NOW, 100);
      expect(disabled?.revokedSessions).toBeGreaterThanOrEqual(5);
      expect(await signedIn).toMatchObject({ code: 0, error: '' });
      expect(await store.listLiveSessions(user.id, NOW, 60)).toEqual([]);
      await store.close();
    });
  });
});

describe('several instances in one process on one SQLite file', () => {
  it('two stores in one process do not block each other', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const stores = [await openStore(url), await openStore(url)];
      const user = newUser();
      const session = newSession(user.id);
      await stores[0]?.createUser(user);
      await stores[0]?.createSession(session);
      const request = { sessionId: session.id, generation: 1, now: session.createdAt };
      const results = await Promise.allSettled(
        stores.map((store) => store.rotateSession({ ...request, graceSeconds: 10, idleSeconds: 60 })),
      );
      await Promise.all(stores.map((store) => store.close()));
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    });
  });

  it('the feed publishes many thousands of events, replayed or live', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const store = await openStore(`sqlite:${path}`);
      const other = new DatabaseSync(path);
      const insertEvents = (count: number, madeAt: Date) =>
        other.exec(`insert into changes (kind, subject, made_at)
          with recursive numbers (n) as (values (1) union all select n + 1 from numbers where n < ${count})
          select 'SESSION_REVOKED', '${madeAt.getTime()}: ' || n, ${madeAt.getTime()} from numbers`);
      insertEvents(12_001, NOW);
      const { events } = await subscribeTo(store, NOW);
      expect(new Set(revokedSessionIds(events)).size).toBe(12_001);
      insertEvents(10_000, new Date(0));
      await vi.waitUntil(() => new Set(revokedSessionIds(events)).size === 22_001, { timeout: 30_000 });
      other.close();
      await store.close();
    });
  });

  it('reads succeed while a write waits for another process', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const store = await openStore(`sqlite:${path}`);
      const user = newUser();
      await store.createUser(user);
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      const written = store.createUser(newUser());
      expect((await store.findUserById(user.id))?.id).toBe(user.id);
      other.exec('commit');
      other.close();
      expect(await written).toBeDefined();
      await store.close();
    });
  });

  it('a write fails with STORE_UNAVAILABLE while the file stays locked', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const store = await openStore(`sqlite:${path}`);
      const user = newUser();
      await store.createUser(user);
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      // Advances the clock, so that the time limit of the write is reached at once.
      const now = performance.now.bind(performance);
      let calls = 0;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 6_000 * calls++);
      const written = store.createUser(newUser());
      await expect(written).rejects.toMatchObject({ name: 'AuthError', reason: 'STORE_UNAVAILABLE' });
      clock.mockRestore();
      expect(await store.findUserById(user.id)).toBeDefined();
      other.exec('commit');
      other.close();
      expect(await store.createUser(newUser())).toBeDefined();
      await store.close();
    });
  });

  it('a store completes pending reads before it closes', async () => {
    await withFolder(async (folder) => {
      const store = await openStore(`sqlite:${join(folder, 'bandha.db')}`);
      const reads = Promise.all(Array.from({ length: 100 }, () => store.listUsers()));
      await store.close();
      expect(await reads).toHaveLength(100);
    });
  });
});
