// Slice against slice of the same round.
import { median, quantile } from '../support/statistics.ts';
import type { Slice } from './slices.ts';

export interface Spread {
  median: number;
  /** The middle half of the rounds lies between. */
  low: number;
  high: number;
}

export interface Comparison {
  /** How many times as many requests a second. */
  byRequests: Spread;
  /** How many times less CPU time a request. */
  byCpu: Spread;
  /**
   * The one to go by: requests a second where the servers had their core to themselves and the generator kept up,
   * CPU time where not.
   */
  main: 'byRequests' | 'byCpu';
}

const KEPT_BUSY = 0.9;
const OUT_OF_BREATH = 0.95;

export function compareSlices(one: readonly Slice[], other: readonly Slice[]): Comparison {
  const both = [...one, ...other];
  const isFair =
    median(both.map(({ serverBusy }) => serverBusy)) > KEPT_BUSY &&
    median(both.map(({ generatorBusy }) => generatorBusy)) < OUT_OF_BREATH;
  return {
    byRequests: spreadOf(one, other, (a, b) => a.perSecond / b.perSecond),
    byCpu: spreadOf(one, other, (a, b) => b.cpuMicros / a.cpuMicros),
    main: isFair ? 'byRequests' : 'byCpu',
  };
}

/** Of what `compare` gives for both slices of each round. */
export function spreadOf<A, B>(
  one: readonly A[],
  other: readonly B[],
  compare: (a: A, b: B) => number,
): Spread {
  // As many of both: one a round.
  const values = one.map((slice, round) => compare(slice, other[round] as B));
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

export function showSpread({ median, low, high }: Spread): string {
  const digits = median < 10 ? 2 : 1;
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

export function showComparison({ byRequests, byCpu, main }: Comparison): string {
  const shown = { byRequests: 'requests/s', byCpu: 'CPU' };
  const spreads = { byRequests, byCpu };
  const second = main === 'byCpu' ? 'byRequests' : 'byCpu';
  return `${showSpread(spreads[main])} by ${shown[main]}; ${spreads[second].median.toFixed(2)} by ${shown[second]}`;
}
