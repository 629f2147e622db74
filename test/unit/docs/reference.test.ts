// The pages of docs/reference and docs/operations name everything that the code has.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { ts } from 'ts-morph';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/commands/run-command.ts';
import { DEFAULT_CONFIG } from '../../../src/config/config.ts';
import { AUTH_ERRORS } from '../../../src/errors.ts';
import { createMetrics } from '../../../src/operations/metrics.ts';
import { BUCKETS } from '../../../src/rate-limits/buckets.ts';
import { readBlocks } from '../../support/docs/pages.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** First column of every table of a page, code marks removed. */
const firstCells = (page: string) =>
  [...page.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  );

describe('docs/reference', () => {
  it('library.md is what npm run generate writes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandha-reference-'));
    try {
      const fresh = join(folder, 'library.md');
      execFileSync(process.execPath, [join(ROOT, 'scripts/generate-reference.js'), fresh]);
      expect(read('docs/reference/library.md'), 'run: npm run generate').toBe(readFileSync(fresh, 'utf8'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('examples of library.md can be parsed', () => {
    const examples = readBlocks('docs/reference/library.md').filter(({ language }) => language === 'ts');
    expect(examples.length).toBeGreaterThan(5);
    const broken = examples.filter(({ code }) => {
      const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true });
      return diagnostics.length > 0;
    });
    expect(broken.map(({ line, code }) => `${line}: ${code}`)).toEqual([]);
  });

  it('configuration.md has a row for each option', () => {
    const page = read('docs/reference/configuration.md');
    const missing = Object.keys(DEFAULT_CONFIG).filter(
      (option) => !new RegExp(`\\| \`${option}[\`:]`).test(page),
    );
    expect(missing).toEqual([]);
  });

  it('configuration.md has the default of each variable', () => {
    const rows = read('docs/reference/configuration.md')
      .split('\n')
      .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| |`/g, '')))
      .filter(([variable = '']) => /^[A-Z_]+$/.test(variable));
    expect(rows.length).toBeGreaterThan(20);
    for (const [variable, option = '', , shown = ''] of rows) {
      const value = DEFAULT_CONFIG[option as keyof typeof DEFAULT_CONFIG]; // undefined if the page names no option
      if (typeof value !== 'number' && typeof value !== 'string') continue;
      expect(shown.split(',')[0], variable).toBe(String(value));
    }
  });

  it('configuration.md has a row for each variable', () => {
    const rows = read('src/config/env.ts').matchAll(/^ {2}([A-Z_]+): \{ key: /gm);
    const variables = [...rows].map(([, name = '']) => name);
    expect(variables.length).toBeGreaterThan(20);
    const documented = firstCells(read('docs/reference/configuration.md'));
    expect(variables.filter((name) => !documented.includes(name))).toEqual([]);
  });

  it('errors.md has an anchor for each code and reason', () => {
    const names = Object.entries(AUTH_ERRORS).flatMap(([reason, { code }]) => [reason, code]);
    const page = read('docs/reference/errors.md');
    const isAnchored = (name: string) =>
      page.includes(`<a id="${name.toLowerCase()}"></a>\`${name}\``) || page.includes(`\n## ${name}\n`);
    expect([...new Set(names)].filter((name) => !isAnchored(name))).toEqual([]);
  });

  it('errors.md has the HTTP status of each code', () => {
    const sections = read('docs/reference/errors.md').split('\n## ');
    for (const { code, status } of Object.values(AUTH_ERRORS)) {
      const section = sections.find((text) => text.startsWith(`${code}\n`));
      expect(section, code).toContain(`HTTP ${status}`);
    }
  });

  it('commands.md shows the help that the command prints', async () => {
    const chunks: string[] = [];
    const output = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(String(chunk));
        done();
      },
    });
    await runCommand(['--help'], {
      env: {},
      stdin: Readable.from([]),
      stdout: output,
      stderr: output,
      program: 'bandha',
      stop: AbortSignal.abort(),
    });
    expect(read('docs/reference/commands.md')).toContain(`\`\`\`text\n${chunks.join('')}\`\`\``);
  });

  it('limits.md has the values of each rate limit', () => {
    const page = read('docs/reference/limits.md');
    for (const [name, { burst }] of Object.entries(BUCKETS)) {
      expect(page, name).toMatch(new RegExp(`^\\| \`${name}\` \\|[^|]+\\| ${burst} \\|`, 'm'));
    }
  });
});

describe('docs/operations', () => {
  it('monitoring.md has a row for each metric', async () => {
    const { registry } = createMetrics({
      revokedSessions: () => 0,
      cachedTokens: () => 0,
      feedSyncedAt: () => 0,
    });
    const names = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(5);
    const documented = firstCells(read('docs/operations/monitoring.md'));
    expect(names.filter((name) => !documented.includes(name))).toEqual([]);
  });
});
