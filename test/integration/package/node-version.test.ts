// The check of the Node version, in processes that report an older version.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { findVersionIssue } from '../../../src/utils/node-version.ts';

const SRC = resolve(import.meta.dirname, '../../../src');

/** Runs Node with another `process.version`. */
async function runAs(version: string, args: readonly string[]) {
  const fake = `data:text/javascript,Object.defineProperty(process,'version',{value:'${version}'})`;
  const child = spawn(process.execPath, ['--import', fake, ...args], { timeout: 60_000 });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}
const importing = (file: string) => [
  '--input-type=module',
  '--eval',
  `await import(${JSON.stringify(resolve(SRC, file))}); console.log('imported')`,
];

describe.each(['v22.11.0', 'v20.19.0', 'v23.11.1'])('Node %s', (version) => {
  const rejected = { stdout: '', stderr: `Bandha needs Node 24 or later; this is ${version}\n`, code: 2 };

  it.each([
    ['the command', [resolve(SRC, 'cli.ts'), 'serve']],
    ['the command without arguments', [resolve(SRC, 'cli.ts')]],
    ['bandha', importing('index.ts')],
    ['bandha/testing', importing('testing/index.ts')],
  ])('prints one sentence and exits for %s', async (_, args) => {
    expect(await runAs(version, args)).toEqual(rejected);
  });

  it.each(['client/index.ts', 'client/apollo.ts', 'client/urql.ts', 'client/documents.generated.ts'])(
    'imports %s, which runs in browsers too',
    async (file) => {
      expect(await runAs(version, importing(file))).toMatchObject({ stdout: 'imported\n', code: 0 });
    },
  );
});

it.each(['v24.0.0', 'v24.99.1', 'v26.10.0', 'v100.0.0', 'v25.0.0-nightly'])(
  'findVersionIssue accepts %s',
  (version) => {
    expect(findVersionIssue(version)).toBeUndefined();
  },
);

it.each(['v8.0.0', 'v23.99.0', '22.0.0', '', 'unknown'])('findVersionIssue rejects %j', (version) => {
  expect(findVersionIssue(version)).toBe(`Bandha needs Node 24 or later; this is ${version}`);
});
