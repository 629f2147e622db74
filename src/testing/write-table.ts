// Formats a Markdown table with aligned columns, readable in a snapshot.

/** @param rows with one cell for each head */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, ...rows].map((row) => row.map(escapeCell));
  const widths = heads.map((_, column) => Math.max(3, ...lines.map((row) => row[column]?.length ?? 0)));
  const write = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head = [], ...body] = lines;
  return [write(head), rule, ...body.map(write)].join('\n');
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
