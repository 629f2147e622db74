// Tables of text: aligned columns for a terminal, or Markdown.

type TableStyle = 'columns' | 'markdown';

/** Minimum width of a Markdown column, for the dashes under its heading. */
const MIN_MARKDOWN_WIDTH = 3;

/**
 * Formats a table. In Markdown, `|` and line breaks in cells are escaped.
 *
 * @param rows with as many cells as `headings`
 * @returns lines without a line break at the end
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
): string {
  const isMarkdown = style === 'markdown';
  const lines = [headings, ...rows].map((row) => (isMarkdown ? row.map(escapeCell) : row));
  const widths = headings.map((_, column) =>
    Math.max(isMarkdown ? MIN_MARKDOWN_WIDTH : 0, ...lines.map((row) => row[column]?.length ?? 0)),
  );
  const padded = lines.map((row) => widths.map((width, column) => (row[column] ?? '').padEnd(width)));
  if (!isMarkdown) return padded.map((row) => row.join('  ').trimEnd()).join('\n');
  const [head = [], ...body] = padded;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
