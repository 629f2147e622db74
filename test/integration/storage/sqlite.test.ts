// The contract on SQLite files, and what is SQLite's own: files, permissions, several processes.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import { openSqlite } from '../../../src/storage/sqlite/dialect.ts';
import { prepareProcess } from '../../support/prepared-process.ts';
import { withFolder } from '../../support/server-process.ts';
import { follow, revokedIn } from './contract/fixture.ts';
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
  it('is made with its folder, and nobody else may look into either', async () => {
    await withFolder(async (folder) => {
      const made = join(folder, 'deep', 'state');
      const store = await openStore(`sqlite:${join(made, 'bandha.db')}`);
      await store.createUser(newUser());
      expect(await modeOf(made)).toBe(0o700);
      await store.close();
    });
  });

  it('may be read by its owner alone, in a folder that was there before too', async () => {
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

  it('is written ahead and flushed at each commit', async () => {
    await withFolder(async (folder) => {
      const sqlite = await openSqlite(join(folder, 'bandha.db'));
      expect(sqlite.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
      expect(sqlite.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
      expect(sqlite.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
      sqlite.close();
    });
  });

  it('holds everything when it is closed and opened again', async () => {
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

  it('holds what was acknowledged when the process is killed', async () => {
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
  it('open an empty one at once, eight of them', async () => {
    const script = 'const store = await openStore(url); await store.ping(); await store.close();';
    for (let round = 0; round < 3; round += 1) {
      await withFolder(async (folder) => {
        const url = `sqlite:${join(folder, 'made', 'bandha.db')}`;
        const children = await Promise.all(Array.from({ length: 8 }, () => prepareProcess(script, url)));
        const ended = await Promise.all(children.map((child) => child.run()));
        expect(ended).toEqual(ended.map(() => ({ code: 0, signal: null, fault: '' })));
      });
    }
  });

  it('finish what one of them was killed over while it made the tables', async () => {
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

  it('rotate one token once', async () => {
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
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => store.rotateSession({ ...request, now })));
        await store.close();
        process.exitCode = 10 + answers.filter(({ outcome }) => outcome === 'ROTATED').length;
        if (!answers.every((answer) => answer.session?.generation === 2)) process.exitCode = 2;`;
      const children = await Promise.all(Array.from({ length: 4 }, () => prepareProcess(script, url)));
      const ended = await Promise.all(children.map((child) => child.run()));
      expect(ended.map(({ code }) => code).toSorted()).toEqual([10, 10, 10, 11]);
      await store.close();
    });
  });

  it('leave no live session of an account that one of them disables', async () => {
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
      expect(await signedIn).toMatchObject({ code: 0, fault: '' });
      expect(await store.listLiveSessions(user.id, NOW, 60)).toEqual([]);
      await store.close();
    });
  });
});

describe('several instances in one process on one SQLite file', () => {
  it('take turns instead of waiting for each other', async () => {
    await withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const stores = [await openStore(url), await openStore(url)];
      const user = newUser();
      const session = newSession(user.id);
      await stores[0]?.createUser(user);
      await stores[0]?.createSession(session);
      const request = { sessionId: session.id, generation: 1, now: session.createdAt };
      const answers = await Promise.allSettled(
        stores.map((store) => store.rotateSession({ ...request, graceSeconds: 10, idleSeconds: 60 })),
      );
      await Promise.all(stores.map((store) => store.close()));
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    });
  });

  it('tell of many thousands of changes, as the past and as they are made, none of them missing', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const store = await openStore(`sqlite:${path}`);
      const other = new DatabaseSync(path);
      const make = (count: number, madeAt: Date) =>
        other.exec(`insert into changes (kind, subject, made_at)
          with recursive numbers (n) as (values (1) union all select n + 1 from numbers where n < ${count})
          select 'SESSION_REVOKED', '${madeAt.getTime()}: ' || n, ${madeAt.getTime()} from numbers`);
      make(12_001, NOW);
      const { changes } = await follow(store, NOW);
      expect(new Set(revokedIn(changes)).size).toBe(12_001);
      make(10_000, new Date(0));
      await vi.waitUntil(() => new Set(revokedIn(changes)).size === 22_001, { timeout: 30_000 });
      other.close();
      await store.close();
    });
  });

  it('read while a write waits for another one’s to end', async () => {
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

  it('refuse a write as STORE_UNAVAILABLE while another one never ends, and write again afterwards', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bandha.db');
      const store = await openStore(`sqlite:${path}`);
      const user = newUser();
      await store.createUser(user);
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      // The time that a write waits is over at once.
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

  it('finish what is being read before they close', async () => {
    await withFolder(async (folder) => {
      const store = await openStore(`sqlite:${join(folder, 'bandha.db')}`);
      const reads = Promise.all(Array.from({ length: 100 }, () => store.listUsers()));
      await store.close();
      expect(await reads).toHaveLength(100);
    });
  });
});
