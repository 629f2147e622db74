// Rows in columns, for people.
import type { Terminal } from './terminal.ts';

/** @param rows the headings first */
export function formatTable({ stdout }: Terminal, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    stdout.write(`${line.trimEnd()}\n`);
  }
}
