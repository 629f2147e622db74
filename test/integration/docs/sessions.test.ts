// The shell sessions of README.md and of the page Getting started, run as they stand.
import { describe, expect, it } from 'vitest';
import { readBlocks } from '../../support/docs/pages.ts';
import { hasShell, runSession } from '../../support/docs/run-blocks.ts';
import { serverEnv, startServerProcess, withFolder } from '../../support/server-process.ts';
import { sendOperation } from '../../support/test-server.ts';

/** Blocks of the page that can be run while a server runs. */
function readSession(page: string) {
  return readBlocks(page).filter(
    ({ language, code }) => language === 'sh' && !/^npm (start|test|pack|i) ?/m.test(code),
  );
}

async function runPage(page: string): Promise<string[]> {
  return withFolder(async (folder) => {
    const env = serverEnv(folder);
    const server = await startServerProcess(env, folder);
    try {
      return await runSession(readSession(page), { url: server.url, env });
    } finally {
      await server.stop();
    }
  });
}

describe.skipIf(!hasShell)('shell sessions', () => {
  it('the session of README.md signs in and reads secureData', async () => {
    const [output = ''] = await runPage('README.md');
    expect(output).toMatch(/^\{"data":\{"register":\{"user":\{"id":".+"\}\}\}\}/);
    expect(output).toMatch(/\{"data":\{"secureData":\{"message":"Secure data access granted"\}\}\}$/);
  });

  it('the session of Getting started signs in, refreshes, signs out and gives a role', async () => {
    const outputs = await runPage('docs/guide/getting-started.md');
    expect(outputs.length).toBe(4);
    const [registered = '', loggedIn = '', refreshed = '', commands = ''] = outputs;
    expect(registered).toContain('"email":"linus@example.com"');
    expect(JSON.parse(loggedIn)).toEqual({
      data: { secureData: { message: 'Secure data access granted', user: { email: 'linus@example.com' } } },
    });
    const [sessions, loggedOut] = refreshed.split('\n').map((text) => JSON.parse(text));
    expect(sessions.data.sessions).toContainEqual(expect.objectContaining({ current: true }));
    expect(loggedOut).toEqual({ data: { logout: true } });
    expect(commands).toMatch(/admin@example\.com +admin/);
    expect(commands).toMatch(/linus@example\.com +accountant/);
  });

  it('the error on Getting started is what the server sends', async () => {
    const [block] = readBlocks('docs/guide/getting-started.md').filter(({ language }) => language === 'json');
    await withFolder(async (folder) => {
      const server = await startServerProcess(serverEnv(folder), folder);
      try {
        const { status, body } = await sendOperation(server.url, '{ secureData { message } }');
        expect(status).toBe(401);
        expect(JSON.parse(block?.code ?? '')).toEqual(body);
      } finally {
        await server.stop();
      }
    });
  });
});
