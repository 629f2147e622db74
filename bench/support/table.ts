// Formats Markdown tables.

/** Undefined and NaN if it was not measured. */
export type Cell = string | number | undefined;

/** The first column is text, the others are numbers. */
export function formatTable(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const head = [`| ${[title, ...columns].join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length)}`];
  return [...head, ...rows.map((row) => `| ${row.map(formatCell).join(' | ')} |`)].join('\n');
}

function formatCell(cell: Cell): string {
  if (cell === undefined || Number.isNaN(cell)) return '–';
  return typeof cell === 'string' ? cell : formatNumber(cell);
}

/** Three significant digits. */
export function formatNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return '< 0.01';
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const digits = Math.max(0, 2 - magnitude);
  const rounded = magnitude > 2 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString('en', {
    maximumFractionDigits: Math.min(digits, 4),
    minimumFractionDigits: Number.isInteger(value) ? 0 : Math.min(digits, 4),
  });
}
