// Compares slices of the same round.
import { median, quantile } from '../support/statistics.ts';
import type { Slice } from './slices.ts';

export interface Spread {
  median: number;
  /** The quartiles: the middle half of the rounds is between them. */
  low: number;
  high: number;
}

export interface Comparison {
  /** Requests per second of the first by those of the second. */
  byRequests: Spread;
  /** CPU time per request of the second by that of the first. */
  byCpu: Spread;
  /** The one that goals use: requests per second if the server was the bottleneck, CPU time otherwise. */
  main: 'byRequests' | 'byCpu';
}

const MIN_SERVER_USE = 0.9;
export const MAX_GENERATOR_USE = 0.95;

export function compareSlices(one: readonly Slice[], other: readonly Slice[]): Comparison {
  const both = [...one, ...other];
  const isServerLimited =
    median(both.map(({ serverUse }) => serverUse)) > MIN_SERVER_USE &&
    median(both.map(({ generatorUse }) => generatorUse)) < MAX_GENERATOR_USE;
  return {
    byRequests: toSpread(one.map((slice, round) => slice.perSecond / (other[round]?.perSecond ?? 0))),
    byCpu: toSpread(one.map((slice, round) => (other[round]?.cpuMicros ?? 0) / slice.cpuMicros)),
    main: isServerLimited ? 'byRequests' : 'byCpu',
  };
}

/** @param values one per round */
export function toSpread(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

export function formatSpread({ median, low, high }: Spread): string {
  const digits = median < 10 ? 2 : 1;
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

export function formatComparison({ byRequests, byCpu, main }: Comparison): string {
  const units = { byRequests: 'requests/s', byCpu: 'CPU' };
  const spreads = { byRequests, byCpu };
  const second = main === 'byCpu' ? 'byRequests' : 'byCpu';
  return `${formatSpread(spreads[main])} by ${units[main]}; ${spreads[second].median.toFixed(2)} by ${units[second]}`;
}
