// What several runs say together.

import type { Report } from '../../support/report.ts';
import { median } from '../../support/statistics.ts';
import type { Cell } from '../../support/table.ts';
import { ROWS, type RowName } from './contenders.ts';
import type { Size } from './places.ts';
import type { Run } from './run-once.ts';

export interface RowSummary {
  /** CPU time of a request: the median of the slices of all runs. */
  micros: number;
  /** To the reference in the same round: the median of the rounds of all runs. */
  ratio: number;
}

export function printRuns(report: Report, title: string, runs: readonly Run[]): Record<RowName, RowSummary> {
  const names = Object.keys(ROWS) as RowName[];
  const summaries: Partial<Record<RowName, RowSummary>> = {};
  const rows = names.map((name): Cell[] => {
    const ratios = runs.map(({ rows }) =>
      rows[name].micros.map((micros, round) => micros / (rows.reference.micros[round] ?? Number.NaN)),
    );
    const summary = {
      micros: median(runs.flatMap(({ rows }) => rows[name].micros)),
      ratio: median(ratios.flat()),
    };
    summaries[name] = summary;
    const total = (of: RowName) => sum(runs.flatMap(({ rows }) => rows[of].micros));
    return [
      ROWS[name].title,
      summary.micros,
      summary.ratio.toFixed(3),
      ratios.map((of) => median(of).toFixed(3)).join(', '),
      (total(name) / total('reference')).toFixed(3),
      String(sum(runs.map(({ rows }) => rows[name].collections))),
    ];
  });
  report.table(
    title,
    ['µs', 'ratio, slice by slice', 'run by run', 'ratio of the sums', 'whole-heap collections'],
    rows,
  );
  return summaries as Record<RowName, RowSummary>; // one a name
}

export function printMemory(report: Report, kind: string, runs: readonly Run[], { revoked, tokens }: Size) {
  const of = (value: (memory: Run['memory']) => number) => median(runs.map(({ memory }) => value(memory)));
  const heap = {
    bytesPerRevokedSession: of(({ full, empty }) => full.started.heapUsed - empty.started.heapUsed) / revoked,
    bytesPerCachedToken: of(({ full }) => full.warm.heapUsed - full.started.heapUsed) / tokens,
  };
  report.table(
    `Memory, ${kind}`,
    ['heap, bytes'],
    [
      ['per revoked session', heap.bytesPerRevokedSession],
      ['per cached token', heap.bytesPerCachedToken],
      ['all of the server on the empty store', of(({ empty }) => empty.started.heapUsed)],
      ['all of the server on the full store', of(({ full }) => full.warm.heapUsed)],
    ],
  );
  return heap;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
