// The secret that is created if none is configured: private to its owner, and shared by all processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { loadOrCreateSecret } from '../../../src/config/secret-file.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { withFolder } from '../../support/server-process.ts';

const MODULE = JSON.stringify(new URL('../../../src/config/secret-file.ts', import.meta.url).href);
const inSecretFolder = (use: (file: string, folder: string) => Promise<void>) =>
  withFolder((folder) => use(join(folder, '.bandha', 'secret'), join(folder, '.bandha')));

describe('the secret file', () => {
  it('gets 256 random bits once, and is read later', async () => {
    await inSecretFolder(async (file) => {
      const secret = loadOrCreateSecret(file);
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(loadOrCreateSecret(file)).toBe(secret);
      expect(await readFile(file, 'utf8')).toBe(`${secret}\n`);
    });
  });

  it('differs from a file with another path', async () => {
    await inSecretFolder(async (file) => {
      expect(loadOrCreateSecret(file)).not.toBe(loadOrCreateSecret(`${file}-2`));
    });
  });

  it('grants access only to its owner, and leaves no temporary file', async () => {
    await inSecretFolder(async (file, folder) => {
      loadOrCreateSecret(file);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      expect(await readdir(folder)).toEqual(['secret']);
    });
  });

  it('accepts a secret written by hand', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'secret');
      await writeFile(file, '  forty characters that someone has typed \n');
      expect(loadOrCreateSecret(file)).toBe('forty characters that someone has typed');
    });
  });

  it.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['too short', 'hunter2\n'],
  ])('fails to load with %s content', async (_, content) => {
    await withFolder(async (folder) => {
      const file = join(folder, 'secret');
      await writeFile(file, content);
      expect(() => loadOrCreateSecret(file)).toThrow(expect.objectContaining({ name: 'ConfigError' }));
    });
  });

  it('stays unchanged if it cannot be read, and the error names it', async () => {
    await withFolder(async (folder) => {
      const message = expect.stringContaining(`${folder}: must be a file`);
      expect(() => loadOrCreateSecret(folder)).toThrow(
        expect.objectContaining({ name: 'ConfigError', message }),
      );
      expect(await readdir(folder)).toEqual([]);
    });
  });

  /** @returns the output of a process in `folder` that uses the secret */
  function useSecrets(folder: string, open: 'openSecrets' | 'openExistingSecrets', secret?: string) {
    const script = `import * as secrets from ${MODULE};
      try { process.stdout.write(secrets.${open}({ secret: process.argv[1] }).mac('message')); }
      catch ({ name, message }) { process.stdout.write(name + ' ' + message); }`;
    const args = secret === undefined ? [] : [secret];
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...args], { cwd: folder });
    return text(child.stdout);
  }
  const CONFIGURED = 'a secret of thirty-two characters';

  it.each(['openSecrets', 'openExistingSecrets'] as const)(
    'stays out of use if a secret is configured: %s',
    async (open) => {
      await withFolder(async (folder) => {
        expect(await useSecrets(folder, open, CONFIGURED)).toBe(createSecrets(CONFIGURED).mac('message'));
        expect(await readdir(folder)).toEqual([]);
      });
    },
  );

  it('goes to the working directory if no secret is configured', async () => {
    await withFolder(async (folder) => {
      const mac = await useSecrets(folder, 'openSecrets');
      const secret = loadOrCreateSecret(join(folder, '.bandha/secret'));
      expect(mac).toBe(createSecrets(secret).mac('message'));
      expect(await useSecrets(folder, 'openExistingSecrets')).toBe(mac);
    });
  });

  it('causes an error if an existing one is required and missing', async () => {
    await withFolder(async (folder) => {
      const output = await useSecrets(folder, 'openExistingSecrets');
      expect(output).toMatch(/^ConfigError BANDHA_SECRET: /);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('contains one secret for processes that start concurrently', async () => {
    await inSecretFolder(async (file, folder) => {
      const script = `import { once } from 'node:events';
        import { loadOrCreateSecret } from ${MODULE};
        process.stderr.write('ready');
        await once(process.stdin, 'data');
        process.stdin.destroy();
        process.stdout.write(loadOrCreateSecret(process.argv[1]));`;
      const children = Array.from({ length: 8 }, () =>
        spawn(process.execPath, ['--input-type=module', '-e', script, file]),
      );
      await Promise.all(children.map((child) => once(child.stderr, 'data')));
      const secrets = await Promise.all(
        children.map((child) => {
          child.stdin.write('go');
          return text(child.stdout);
        }),
      );
      expect(secrets).toEqual(secrets.map(() => loadOrCreateSecret(file)));
      expect(await readdir(folder)).toEqual(['secret']);
    });
  });

  it('contains one secret for processes with equal ids, as in containers', async () => {
    await inSecretFolder(async (file, folder) => {
      // Threads have the id of their process. All wait at one gate, then create many secrets concurrently.
      const rounds = 50;
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const script = `const { parentPort, workerData: { gate, file, rounds } } = require('node:worker_threads');
        import(${MODULE}).then(({ loadOrCreateSecret }) => {
          parentPort.postMessage('ready');
          Atomics.wait(gate, 0, 0);
          parentPort.postMessage(Array.from({ length: rounds }, (_, round) => {
            try { return loadOrCreateSecret(file + round); } catch (error) { return String(error); }
          }));
        });`;
      const workerData = { gate, file, rounds };
      const workers = Array.from({ length: 4 }, () => new Worker(script, { eval: true, workerData }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const results = workers.map((worker) => once(worker, 'message'));
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      const created = (await Promise.all(results)).map(([secrets]) => secrets);
      const files = await Promise.all(
        Array.from({ length: rounds }, async (_, round) =>
          (await readFile(`${file}${round}`, 'utf8')).trim(),
        ),
      );
      const wrong = created.flatMap((secrets: string[]) =>
        secrets.filter((secret, round) => secret !== files[round]),
      );
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(await readdir(folder)).toHaveLength(rounds);
    });
  });
});
