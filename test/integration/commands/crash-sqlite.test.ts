// Confirmed changes survive `kill -9` at any moment: one instance on an SQLite file.
import { DatabaseSync } from 'node:sqlite';
import { expect, it, vi } from 'vitest';
import { CRASH_ENV, LONG_TIMEOUTS, runCrashLoop, UNRECORDED_REVOCATIONS } from '../../support/crash-loop.ts';
import { serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';

const KILLS = 50;

vi.setConfig(LONG_TIMEOUTS);

it('sessions stay live or ended when the server is killed repeatedly', () =>
  withFolder(async (folder) => {
    const env = serverEnv(folder, { ...CRASH_ENV, NODE_COMPILE_CACHE: `${folder}/compiled` });
    const first = await startServerProcess(env, folder);
    await first.stop(); // Node writes its compile cache only on a regular exit
    let server = await startServerProcess(env, folder);
    const victim = {
      urls: () => [server.url],
      async kill() {
        await server.stop('SIGKILL');
        expect(server.child.signalCode).toBe('SIGKILL');
      },
      async restart() {
        server = await startServerProcess(env, folder);
      },
    };
    try {
      const { live, ended } = await runCrashLoop(victim, KILLS);
      expect(Math.min(live, ended)).toBeGreaterThan(0);
    } finally {
      await server.stop('SIGKILL');
    }
    const database = new DatabaseSync(`${folder}/bandha.db`);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.prepare(UNRECORDED_REVOCATIONS).all()).toEqual([]);
    database.close();
  }));
