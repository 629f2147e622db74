// Markdown tables.

export type Cell = string | number | undefined;

/** The first column holds text, the others figures; undefined is what was not measured. */
export function formatTable(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const head = [`| ${[title, ...columns].join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length)}`];
  return [...head, ...rows.map((row) => `| ${row.map(show).join(' | ')} |`)].join('\n');
}

function show(cell: Cell): string {
  if (cell === undefined || Number.isNaN(cell)) return '–';
  return typeof cell === 'string' ? cell : showNumber(cell);
}

/** Three figures that count. */
export function showNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return '< 0.01';
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const digits = Math.max(0, 2 - magnitude);
  const rounded = magnitude > 2 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString('en', {
    maximumFractionDigits: Math.min(digits, 4),
    minimumFractionDigits: Number.isInteger(value) ? 0 : Math.min(digits, 4),
  });
}
