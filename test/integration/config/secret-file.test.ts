// The secret that is made where none was given: private to its owner, and one for all.
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
  it('is made with 256 random bits, and read again', async () => {
    await inSecretFolder(async (file) => {
      const secret = loadOrCreateSecret(file);
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(loadOrCreateSecret(file)).toBe(secret);
      expect(await readFile(file, 'utf8')).toBe(`${secret}\n`);
    });
  });

  it('is another one in another place', async () => {
    await inSecretFolder(async (file) => {
      expect(loadOrCreateSecret(file)).not.toBe(loadOrCreateSecret(`${file}-2`));
    });
  });

  it('is for its owner alone, with nothing beside it', async () => {
    await inSecretFolder(async (file, folder) => {
      loadOrCreateSecret(file);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      expect(await readdir(folder)).toEqual(['secret']);
    });
  });

  it('may be written by hand', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'secret');
      await writeFile(file, '  forty characters that somebody has typed \n');
      expect(loadOrCreateSecret(file)).toBe('forty characters that somebody has typed');
    });
  });

  it.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['too short to be a secret', 'hunter2\n'],
  ])('is refused where it is %s, instead of being used', async (_, content) => {
    await withFolder(async (folder) => {
      const file = join(folder, 'secret');
      await writeFile(file, content);
      expect(() => loadOrCreateSecret(file)).toThrow(expect.objectContaining({ name: 'ConfigError' }));
    });
  });

  it('is left as it is if it cannot be read, and the error names it', async () => {
    await withFolder(async (folder) => {
      const message = expect.stringContaining(`${folder}: must be a file`);
      expect(() => loadOrCreateSecret(folder)).toThrow(
        expect.objectContaining({ name: 'ConfigError', message }),
      );
      expect(await readdir(folder)).toEqual([]);
    });
  });

  /** What a process in `folder` prints that opens the secrets and uses them. */
  function useSecrets(folder: string, open: 'openSecrets' | 'openExistingSecrets', secret?: string) {
    const script = `import * as secrets from ${MODULE};
      try { process.stdout.write(secrets.${open}({ secret: process.argv[1] }).mac('message')); }
      catch ({ name, message }) { process.stdout.write(name + ' ' + message); }`;
    const given = secret === undefined ? [] : [secret];
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...given], { cwd: folder });
    return text(child.stdout);
  }
  const CONFIGURED = 'a secret of thirty-two characters';

  it.each(['openSecrets', 'openExistingSecrets'] as const)(
    'is neither made nor read where a secret is configured, by %s',
    async (open) => {
      await withFolder(async (folder) => {
        expect(await useSecrets(folder, open, CONFIGURED)).toBe(createSecrets(CONFIGURED).mac('message'));
        expect(await readdir(folder)).toEqual([]);
      });
    },
  );

  it('is made in the working directory where none is configured, and found there again', async () => {
    await withFolder(async (folder) => {
      const mac = await useSecrets(folder, 'openSecrets');
      const secret = loadOrCreateSecret(join(folder, '.bandha/secret'));
      expect(mac).toBe(createSecrets(secret).mac('message'));
      expect(await useSecrets(folder, 'openExistingSecrets')).toBe(mac);
    });
  });

  it('is not made for who needs the one there has been, and that is a fault', async () => {
    await withFolder(async (folder) => {
      const said = await useSecrets(folder, 'openExistingSecrets');
      expect(said).toMatch(/^ConfigError BANDHA_SECRET: /);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('is one for several processes that start at once', async () => {
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

  it('is one for several that share a process number, as containers on one folder do', async () => {
    await inSecretFolder(async (file, folder) => {
      // Threads have the number of their process. All wait at one gate, then make many secrets side by side.
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
      const made = workers.map((worker) => once(worker, 'message'));
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      const kept = (await Promise.all(made)).map(([secrets]) => secrets);
      const files = await Promise.all(
        Array.from({ length: rounds }, async (_, round) =>
          (await readFile(`${file}${round}`, 'utf8')).trim(),
        ),
      );
      const wrong = kept.flatMap((secrets: string[]) =>
        secrets.filter((secret, round) => secret !== files[round]),
      );
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(await readdir(folder)).toHaveLength(rounds);
    });
  });
});
