// Type-checks the code blocks of documentation pages, all in one run of the compiler.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type CodeBlock, ROOT } from './pages.ts';

const LANGUAGES = new Set(['ts', 'tsx', 'js', 'jsx']);

export function isTypeScript({ language }: CodeBlock): boolean {
  return LANGUAGES.has(language);
}

const OPTIONS = {
  target: 'es2025',
  lib: ['es2025', 'esnext.iterator', 'esnext.disposable', 'dom', 'dom.iterable'],
  module: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  jsx: 'react-jsx',
  strict: true,
  allowJs: true,
  checkJs: true,
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  noEmit: true,
};

/** `bandha`, `bandha/client` and the other entries of the package, as their sources. */
export function listEntries(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.fromEntries(
    Object.entries<string | { default: string }>(exports).flatMap(([name, target]) =>
      typeof target === 'string'
        ? []
        : [
            [
              `bandha${name.slice(1)}`,
              join(ROOT, target.default.replace(/^\.\/dist\/(.+)\.js$/, 'src/$1.ts')),
            ],
          ],
    ),
  );
}

/**
 * The file that a block is checked as. A block whose first line is a comment such as `// auth.ts` is that file, and other
 * blocks of the page can import it; any other block is a module of its own.
 */
export function fileNameOf(block: CodeBlock): string {
  const [, name] = /^(?:\/\/|#) ([\w./-]+\.\w+)$/m.exec(block.code.split('\n')[0] ?? '') ?? [];
  return name ?? `line-${block.line}.${block.language}`;
}

/** @returns one line an error, with the page and its line: `README.md:12: Cannot find name 'invoices'.` */
export async function findTypeErrors(blocks: readonly CodeBlock[]): Promise<string[]> {
  if (blocks.length === 0) return [];
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'docs-'));
  try {
    const pages = new Map<string, CodeBlock>();
    const issues: string[] = [];
    for (const block of blocks) {
      const file = join(block.page.replace(/\.md$/, ''), fileNameOf(block));
      if (pages.has(file)) issues.push(`${block.page}:${block.line}: ${file} is the name of two blocks`);
      pages.set(file, block);
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      // As many lines above it as on the page, so that errors have the page's line numbers.
      writeFileSync(join(folder, file), '\n'.repeat(block.line - 1) + block.code);
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const paths = Object.fromEntries(Object.entries(listEntries()).map(([name, path]) => [name, [path]]));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...OPTIONS, paths }, files: [...pages.keys()] }),
    );
    for (const line of (await compile(folder)).split('\n')) {
      const [, file = '', number = '', message = ''] =
        /^(\S+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line) ?? [];
      if (message === '') {
        if (line.startsWith('error')) issues.push(line);
        continue;
      }
      const block = pages.get(relative(folder, join(folder, file)));
      issues.push(`${block?.page ?? file}:${number}: ${message}`);
    }
    return issues;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compile(folder: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder });
  // The compiler's exit code is 1 or 2 if there are errors.
  return run.then(
    () => '',
    (error: { stdout?: string; stderr?: string }) =>
      `${error.stdout ?? ''}\n${error.stderr ?? ''}`.trim() || String(error),
  );
}
