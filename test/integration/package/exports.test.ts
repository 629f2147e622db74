// The published package: built, placed under node_modules of an application, and imported by name.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Some exports of each entry of the package. */
const NAMES: Record<string, readonly string[]> = {
  '.': ['createBandha', 'createVerifier', 'useTokenAuth', 'useGuard'],
  './client': ['createAuthClient'],
  './apollo': ['createAuthLink'],
  './urql': ['bandhaExchange'],
  './documents': ['LoginDocument', 'RegisterDocument'],
  './testing': ['authMatchers', 'createTestKit'],
};

let app: string;
beforeAll(() => {
  // Inside the checkout, so that the package finds its dependencies as an installed one does.
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  app = mkdtempSync(join(cache, 'published-'));
  const published = join(app, 'package');
  compile(['-p', 'tsconfig.build.json', '--outDir', join(published, 'dist')], ROOT);
  for (const file of ['package.json', 'schema.graphql']) cpSync(join(ROOT, file), join(published, file));
  mkdirSync(join(app, 'node_modules'));
  symlinkSync(published, join(app, 'node_modules/bandha'), 'junction');
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(app, { recursive: true, force: true }));

/** Throws if there are errors, which TypeScript prints. */
function compile(options: readonly string[], folder: string): void {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, ...options], { cwd: folder, stdio: 'inherit' });
}

/** Runs code of the application in a separate process. @returns its output, parsed as JSON */
function run(line: string): unknown {
  const text = execFileSync(process.execPath, ['--input-type=module', '--eval', line], {
    cwd: app,
    encoding: 'utf8',
  });
  return JSON.parse(text);
}

it.each(Object.entries(NAMES))('the entry %s exports %j', (entry, names) => {
  const specifier = entry.replace(/^\./, 'bandha');
  const exported = run(
    `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifier)}))));`,
  );
  expect(exported).toEqual(expect.arrayContaining([...names]));
});

it('the package exports schema.graphql and package.json', () => {
  const files = ['bandha/schema.graphql', 'bandha/package.json'];
  const line = `console.log(JSON.stringify(${JSON.stringify(files)}.map((file) => import.meta.resolve(file))));`;
  const found = run(line) as string[]; // a URL each
  for (const [index, name] of ['schema.graphql', 'package.json'].entries()) {
    expect(readFileSync(new URL(found[index] ?? ''), 'utf8')).toBe(readFileSync(join(ROOT, name), 'utf8'));
  }
});

it('this test imports every entry of the package', () => {
  const files = ['./schema.graphql', './package.json'];
  expect([...Object.keys(NAMES), ...files].sort()).toEqual(Object.keys(exports).sort());
});

it('bandha/testing has types for the matchers in the required version of Vitest', () => {
  const lines = [
    "import { authMatchers, createTestKit } from 'bandha/testing';",
    "import { expect } from 'vitest';",
    'expect.extend(authMatchers);',
    "const result = await createTestKit({ typeDefs: 'type Query { open: Int }' }).anonymous.execute('{ open }');",
    "expect(result).not.toBeDenied('MISSING_TOKEN', 'Query.open');",
    '// @ts-expect-error',
    "expect(result).toBeDenied('MISSING_TOKENS');",
  ];
  writeFileSync(join(app, 'app.ts'), lines.join('\n'));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2025',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
  compile(['-p', '.'], app);
});
