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
export async function interleave(
  runs: readonly (() => unknown)[],
  { rounds, sliceMs }: InterleaveOptions,
): Promise<number[][]> {
  const times = runs.map((): number[] => []);
  for (const run of runs) await repeatFor(WARM_UP_MS, run);
  const entries: { run: () => unknown; repeats: number; into: number[] | undefined }[] = [];
  for (const [index, run] of runs.entries()) {
    const repeats = Math.max(1, Math.round(sliceMs / (await repeatFor(WARM_UP_MS, run))));
    entries.push({ run, repeats, into: times[index] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { run, repeats, into } of round % 2 === 0 ? entries : entries.toReversed()) {
      into?.push(await timeSlice(run, repeats));
    }
  }
  return times;
}

/** Microseconds for one of `repeats` runs. */
export async function timeSlice(run: () => unknown, repeats: number): Promise<number> {
  // So that nobody pays for what another left behind.
  collectGarbage({ type: 'minor' });
  const start = performance.now();
  for (let i = 0; i < repeats; i += 1) {
    const result = run();
    // Awaiting what is there already would be part of what is measured.
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - start) * 1000) / repeats;
}

/** Milliseconds that one run takes. */
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
