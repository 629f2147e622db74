// Plots as SVG, small and by hand, readable on light and on dark.

interface Bars {
  title: string;
  /** `strong`: the one the plot is about. */
  rows: readonly { label: string; value: number; strong?: boolean }[];
}

interface Lines {
  title: string;
  xTitle: string;
  /** Both axes are logarithmic. */
  series: readonly { label: string; points: readonly { x: number; y: number }[]; strong?: boolean }[];
}

const WIDTH = 720;
const ROW_HEIGHT = 26;
const LABELS_WIDTH = 250;
const VALUES_WIDTH = 80;
const HEAD_HEIGHT = 40;
const STYLE = `<style>
  .page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 } .end { text-anchor: end }
  .mid { text-anchor: middle } .bar { fill: #8c959f } .strong { fill: #0969da } .axis { stroke: #d0d7de }
  .line { fill: none; stroke: #8c959f; stroke-width: 2 } .line.strong { fill: none; stroke: #0969da; stroke-width: 3 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .bar { fill: #6e7681 } .strong { fill: #58a6ff } .axis { stroke: #30363d }
    .line { stroke: #6e7681 } .line.strong { stroke: #58a6ff }
  }
</style>`;

export function barChart({ title, rows }: Bars): string {
  const most = Math.max(...rows.map(({ value }) => value));
  const room = WIDTH - LABELS_WIDTH - VALUES_WIDTH;
  const bars = rows.map(({ label, value, strong }, i) => {
    const y = HEAD_HEIGHT + i * ROW_HEIGHT;
    const length = Math.max(1, (value / most) * room);
    return [
      text(LABELS_WIDTH - 8, y + 15, plain(label), 'end'),
      `<rect class="bar${strong ? ' strong' : ''}" x="${LABELS_WIDTH}" y="${y + 2}" width="${round(length)}" height="18"/>`,
      text(LABELS_WIDTH + length + 6, y + 15, showTick(value)),
    ].join('');
  });
  return svg(title, HEAD_HEIGHT + rows.length * ROW_HEIGHT + 8, bars);
}

export function lineChart({ title, xTitle, series }: Lines): string {
  const height = 380;
  const box = { left: 70, right: WIDTH - 210, top: HEAD_HEIGHT, bottom: height - 45 };
  const all = series.flatMap(({ points }) => points);
  const x = logScale(
    all.map(({ x }) => x),
    box.left,
    box.right,
  );
  const y = logScale(
    all.map(({ y }) => y),
    box.bottom,
    box.top,
  );
  const xTicks = [...new Set(all.map(({ x }) => x))];
  const axes = [
    ...y.decades.map(
      (value) =>
        `<path class="axis" d="M${box.left} ${round(y.at(value))}H${box.right}"/>${text(box.left - 8, y.at(value) + 4, showTick(value), 'end')}`,
    ),
    ...xTicks.map((value) => text(x.at(value), box.bottom + 18, showTick(value), 'mid')),
    text((box.left + box.right) / 2, box.bottom + 38, xTitle, 'mid'),
  ];
  // Names stand where the lines end, and no two on each other.
  const names = series
    .map(({ label, points }) => ({ label, at: y.at(points.at(-1)?.y ?? 1) }))
    .toSorted((a, b) => a.at - b.at);
  let free = 0;
  const labels = names.map(({ label, at }) => {
    free = Math.max(at + 4, free + 16);
    return text(box.right + 8, free, plain(label));
  });
  const lines = series.map(({ points, strong }) => {
    const path = points.map((point) => `${round(x.at(point.x))} ${round(y.at(point.y))}`).join('L');
    return `<path class="line${strong ? ' strong' : ''}" d="M${path}"/>`;
  });
  return svg(title, height, [...axes, ...lines, ...labels]);
}

function logScale(values: readonly number[], from: number, to: number) {
  const low = Math.log10(Math.min(...values));
  const high = Math.log10(Math.max(...values));
  const first = Math.ceil(low);
  const decades = Array.from(
    { length: Math.max(0, Math.floor(high) - first + 1) },
    (_, i) => 10 ** (first + i),
  );
  const at = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { at, decades };
}

function svg(title: string, height: number, content: readonly string[]): string {
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  const head = [
    `<title>${escapeText(title)}</title>`,
    STYLE,
    '<rect class="page" width="100%" height="100%"/>',
  ];
  const lines = [...head, text(8, 22, title, 'title'), ...content];
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">\n${lines.join('\n')}\n</svg>\n`;
}

function text(x: number, y: number, content: string, classes = ''): string {
  const of = classes === '' ? '' : ` class="${classes}"`;
  return `<text${of} x="${round(x)}" y="${round(y)}">${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function showTick(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function round(value: number): string {
  return value.toFixed(1);
}

/** Without Markdown's marks. */
function plain(label: string): string {
  return label.replaceAll(/[*`]/g, '');
}
