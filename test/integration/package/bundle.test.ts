// Bandha bundled into one file with an application, without the other files of the package.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemaText } from '../../../src/graphql/schema.generated.ts';
import { withFolder } from '../../support/server-process.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

const APP = `
import { createBandha, createVerifier, directiveTypeDefs, useGuard } from ${JSON.stringify(join(ROOT, 'src/index.ts'))};
useGuard();
createVerifier({ issuer: 'https://issuer.example/', audience: 'api', keys: () => Promise.reject(new Error('no keys')) });
console.log(directiveTypeDefs.includes('directive @auth'));
createBandha({ databaseUrl: 'sqlite::memory:', secret: 'a secret that only these tests know of' }).catch((error) => {
  console.log(error.name, error.message);
});
`;

let folder: string;
beforeAll(async () => {
  // Inside the checkout, so that the bundle finds packages that are not part of it.
  await mkdir(join(ROOT, 'node_modules/.cache'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'node_modules/.cache/bundle-'));
  await writeFile(join(folder, 'app.js'), APP);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['es', 'cjs'] as const)('a bundle in the format %s', (format) => {
  it('verifies tokens, and explains in one sentence why accounts do not work', async () => {
    const extension = format === 'es' ? 'mjs' : 'cjs';
    await build({
      configFile: false,
      root: folder,
      logLevel: 'error',
      build: {
        ssr: join(folder, 'app.js'),
        outDir: join(folder, format),
        rolldownOptions: { output: { format, entryFileNames: `app.${extension}`, codeSplitting: false } },
      },
    });
    const { stdout } = await run(process.execPath, [join(folder, format, `app.${extension}`)], {
      cwd: folder,
    });
    expect(stdout.split('\n')).toEqual([
      'true',
      'ConfigError bandha: must not be bundled, since password hashing loads argon2-worker as a separate file; mark it as `external` in the bundler',
      '',
    ]);
  });
});

it('schema.generated.ts is the output of `npm run generate`', async () => {
  expect(schemaText).toBe(await readFile(join(ROOT, 'schema.graphql'), 'utf8'));
  await withFolder(async (fresh) => {
    const file = join(fresh, 'schema.generated.ts');
    await run(process.execPath, [join(ROOT, 'scripts/generate-schema.js'), file]);
    expect(await readFile(file, 'utf8')).toBe(
      await readFile(join(ROOT, 'src/graphql/schema.generated.ts'), 'utf8'),
    );
  });
});
