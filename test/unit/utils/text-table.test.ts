// Tables for a terminal and in Markdown.
import { expect, it } from 'vitest';
import { formatTable } from '../../../src/utils/text-table.ts';

it('formatTable aligns columns for a terminal, without spaces at the end of lines', () => {
  const rows = [
    ['ada@example.com', 'admin'],
    ['b@c.example', '-'],
  ];
  expect(formatTable(['EMAIL', 'ROLES'], rows, 'columns')).toBe(
    ['EMAIL            ROLES', 'ada@example.com  admin', 'b@c.example      -'].join('\n'),
  );
});

it('formatTable aligns Markdown and escapes cells', () => {
  expect(formatTable(['a', 'field'], [['x|y', 'two\nlines']], 'markdown')).toBe(
    ['| a    | field     |', '| ---- | --------- |', '| x\\|y | two lines |'].join('\n'),
  );
});

it('formatTable needs no rows', () => {
  expect(formatTable(['a'], [], 'columns')).toBe('a');
  expect(formatTable(['a'], [], 'markdown')).toBe('| a   |\n| --- |');
});
