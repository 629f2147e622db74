// Loads contenders with several cases of requests, and formats tables with a row per contender and a column per case.
import type { ExpectedQuery } from '../contenders/schema.ts';
import { median } from '../support/statistics.ts';
import { type Cell, formatTable } from '../support/table.ts';
import type { TokenIssuer } from '../support/token-issuer.ts';
import { checkResponses } from './check-responses.ts';
import type { ContenderName } from './contenders.ts';
import { compareSlices } from './ratios.ts';
import { createHeaders, type RequestSource } from './requests.ts';
import type { Setup } from './setup.ts';
import { loadSlices, type Slice, type Target } from './slices.ts';
import type { Contender } from './start-contender.ts';

export interface Case {
  title: string;
  query: ExpectedQuery;
  connections: number;
  /** @param header with a valid credential */
  createSource(contender: Contender, header: string): RequestSource | Promise<RequestSource>;
}

export interface Matrix {
  slices: readonly Slice[];
  slicesOf(caseIndex: number, name: ContenderName): Slice[];
  /** @param cell of the slices of a contender and those of Bandha in the same case */
  table(title: string, cell: (slices: Slice[], bandha: Slice[]) => Cell): string;
}

export const perSecond = (slices: Slice[]) => median(slices.map((slice) => slice.perSecond));
export const cpuMicros = (slices: Slice[]) => median(slices.map((slice) => slice.cpuMicros));
export const requestsRatio = (slices: Slice[], bandha: Slice[]) =>
  compareSlices(bandha, slices).byRequests.median.toFixed(2);
export const cpuRatio = (slices: Slice[], bandha: Slice[]) =>
  compareSlices(bandha, slices).byCpu.median.toFixed(2);

export async function measureMatrix(
  contenders: readonly Contender[],
  cases: readonly Case[],
  issuer: TokenIssuer,
  setup: Setup,
): Promise<Matrix> {
  const scenarios: Target[][] = [];
  for (const { query, connections, createSource } of cases) {
    const targets: Target[] = [];
    for (const contender of contenders) {
      const [header = ''] = await createHeaders(contender, issuer, 1);
      const responseBytes = await checkResponses(contender, query, header);
      targets.push({ contender, connections, responseBytes, source: await createSource(contender, header) });
    }
    scenarios.push(targets);
  }
  const slices = await loadSlices(scenarios, setup);
  const slicesOf = (caseIndex: number, name: ContenderName) =>
    slices[caseIndex]?.[contenders.findIndex((contender) => contender.name === name)] ?? [];
  return {
    slices: slices.flat(2),
    slicesOf,
    table: (title, cell) =>
      formatTable(
        title,
        cases.map(({ title }) => title),
        contenders.map(({ name, title }) => [
          title,
          ...cases.map((_, i) => cell(slicesOf(i, name), slicesOf(i, 'bandha'))),
        ]),
      ),
  };
}
