// docs/reference/limits.md names a test for each limit.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const page = await readFile(resolve(ROOT, 'docs/reference/limits.md'), 'utf8');

const tables = page.split(/\n\n+/).filter((part) => part.startsWith('|'));

/** The cells of each row of the tables that name tests, without their headings. */
const rows = tables
  .filter((table) => table.startsWith('| what |'))
  .flatMap((table) => table.trim().split('\n').slice(2))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

describe('docs/reference/limits.md', () => {
  it('the tables have a row for each limit, without repetition', () => {
    expect(rows.length).toBeGreaterThan(5);
    const names = rows.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('only the table of rate limits names no tests', () => {
    const headings = tables.map((table) => table.split('|')[1]?.trim());
    expect(headings.filter((heading) => heading !== 'what')).toEqual(['bucket']);
  });

  it.each(rows.map((cells) => [cells[0] ?? '', cells] as const))(
    'the row names existing tests: %s',
    (_, cells) => {
      const files = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
      expect(files).not.toEqual([]);
      for (const file of files) {
        expect(file).toMatch(/^test\/.+\.ts$/);
        expect(existsSync(resolve(ROOT, file)), file).toBe(true);
      }
    },
  );

  it('the page names only existing files', () => {
    const files = [...page.matchAll(/`((?:test|bench|src|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    expect(files.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
  });
});
