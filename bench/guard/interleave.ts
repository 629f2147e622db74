// Measures many things at once: each in slices so short that most escape interruption, and in turns of order.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface InterleaveOptions {
  rounds: number;
  /** How long one slice of one run takes, about. */
  sliceMs: number;
}

const WARM_UP_MS = 60;

setFlagsFromString('--expose-gc');
const collectGarbage: (options: { type: 'minor' }) => void = runInNewContext('gc');

/** @returns for each run, its microseconds in each round: rounds of different runs can be compared one by one */
export function interleave(
  runs: readonly (() => unknown)[],
  { rounds, sliceMs }: InterleaveOptions,
): number[][] {
  const times = runs.map((): number[] => []);
  for (const run of runs) repeatFor(WARM_UP_MS, run);
  const entries = runs.map((run, index) => {
    const repeats = Math.max(1, Math.round(sliceMs / repeatFor(WARM_UP_MS, run)));
    return { run, repeats, into: times[index] };
  });
  for (let round = 0; round < rounds; round += 1) {
    for (const { run, repeats, into } of round % 2 === 0 ? entries : entries.toReversed()) {
      into?.push(timeSlice(run, repeats));
    }
  }
  return times;
}

/** Microseconds for one of `repeats` runs. */
export function timeSlice(run: () => unknown, repeats: number): number {
  // So that nobody pays for what another left behind.
  collectGarbage({ type: 'minor' });
  const start = performance.now();
  for (let i = 0; i < repeats; i += 1) run();
  return ((performance.now() - start) * 1000) / repeats;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Milliseconds that one run takes. */
function repeatFor(ms: number, run: () => unknown): number {
  const start = performance.now();
  let repeats = 0;
  while (performance.now() - start < ms) {
    run();
    repeats += 1;
  }
  return (performance.now() - start) / repeats;
}
