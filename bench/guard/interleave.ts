// Measures functions in turn, in slices so short that most are not interrupted.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { alternate } from '../support/rounds.ts';

export interface InterleaveOptions {
  rounds: number;
  /** Duration of one slice of one run, about. */
  sliceMs: number;
}

const WARM_UP_MS = 60;

setFlagsFromString('--expose-gc');
const collectGarbage: (options: { type: 'minor' }) => void = runInNewContext('gc');

/** @returns for each run its microseconds, one value per round */
export async function interleave(
  runs: readonly (() => unknown)[],
  { rounds, sliceMs }: InterleaveOptions,
): Promise<number[][]> {
  for (const run of runs) await repeatFor(WARM_UP_MS, run);
  const entries: { run: () => unknown; repeats: number; times: number[] }[] = [];
  for (const run of runs) {
    const repeats = Math.max(1, Math.round(sliceMs / (await repeatFor(WARM_UP_MS, run))));
    entries.push({ run, repeats, times: [] });
  }
  for (const [{ run, repeats, times }] of alternate(entries, { rounds })) {
    times.push(await timeSlice(run, repeats));
  }
  return entries.map(({ times }) => times);
}

/** @returns microseconds of one of `repeats` runs */
export async function timeSlice(run: () => unknown, repeats: number): Promise<number> {
  // So that no slice collects the garbage of another.
  collectGarbage({ type: 'minor' });
  const start = performance.now();
  for (let i = 0; i < repeats; i += 1) {
    const result = run();
    // Awaiting a result that is not a promise would take time too.
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - start) * 1000) / repeats;
}

/** @returns milliseconds of one run */
async function repeatFor(ms: number, run: () => unknown): Promise<number> {
  const start = performance.now();
  let repeats = 0;
  while (performance.now() - start < ms) {
    const result = run();
    if (result instanceof Promise) await result;
    repeats += 1;
  }
  return (performance.now() - start) / repeats;
}
