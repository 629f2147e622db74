// docs/limits.md names a test for each limit.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const page = await readFile(resolve(ROOT, 'docs/limits.md'), 'utf8');

/** The cells of each row that is not a head. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !line.startsWith('| ---') && !line.startsWith('| what |'))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

describe('docs/limits.md', () => {
  it('has a row for each thing that a caller can fill', () => {
    expect(rows.length).toBeGreaterThan(5);
    const names = rows.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rows.map((cells) => [cells[0] ?? '', cells] as const))(
    'names an existing test for: %s',
    (_, cells) => {
      const files = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
      expect(files).not.toEqual([]);
      for (const file of files) {
        expect(file).toMatch(/^test\/.+\.ts$/);
        expect(existsSync(resolve(ROOT, file)), file).toBe(true);
      }
    },
  );

  it('names no file that does not exist', () => {
    const files = [...page.matchAll(/`((?:test|bench|src|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    expect(files.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
  });
});
