// Loads servers in short slices in turn (A B C, C B A, …), so that they can be compared slice by slice.
import type { Generator, Hits } from './generator.ts';
import type { Supply } from './requests.ts';
import type { Contender } from './start-contender.ts';

const WARM_UP_CONNECTIONS = 50;

export interface Target {
  contender: Contender;
  supply: Supply;
  connections: number;
  /** The right answer's length, head and body; whatever else is answered has another. */
  answerBytes: number;
  /** Whether the right answer is a refusal, with a status from 400. */
  isRefused?: boolean;
}

export interface Slice {
  perSecond: number;
  cpuMicros: number;
  p50Ms: number;
  p99Ms: number;
  /** Share of its core that the generator had; at 1 it is the bottleneck. */
  generatorBusy: number;
  /** Share of one core that the server had. */
  serverBusy: number;
}

export interface SliceOptions {
  generator: Generator;
  rounds: number;
  seconds: number;
  /** For each target, before the first round. */
  warmUpSlices: number;
  note(progress: string): void;
}

/** What is loaded in turn: contenders of one scenario side by side. */
export type Scenario = readonly Target[];

/** @returns for each scenario and target the slices, round by round */
export async function loadInTurn(
  scenarios: readonly Scenario[],
  options: SliceOptions,
): Promise<Slice[][][]> {
  const { rounds, note } = options;
  const slices = scenarios.map((targets) => targets.map((): Slice[] => []));
  note('warming up');
  for (const target of scenarios.flat()) await warmUp(target, options);
  for (let round = 0; round <= rounds; round += 1) {
    note(round === 0 ? 'a first round that does not count' : `round ${round} of ${rounds}`);
    for (const [s, targets] of scenarios.entries()) {
      const order = [...targets.entries()];
      for (const [t, target] of round % 2 === 0 ? order : order.toReversed()) {
        const slice = await loadSlice(target, round * scenarios.length + s, options);
        if (round > 0) slices[s]?.[t]?.push(slice);
      }
    }
  }
  return slices;
}

/** Until the server has seen everything that it may remember, and has been at it for long enough to run fast. */
async function warmUp(target: Target, options: Omit<SliceOptions, 'rounds' | 'note'>): Promise<void> {
  for (let slice = 0; slice < options.warmUpSlices || !target.supply.isWarm(); slice += 1) {
    await loadSlice({ ...target, connections: WARM_UP_CONNECTIONS }, -1 - slice, options);
  }
}

export async function loadSlice(
  target: Target,
  turn: number,
  { generator, seconds }: Pick<SliceOptions, 'generator' | 'seconds'>,
): Promise<Slice> {
  const { contender, supply, connections } = target;
  const { file, first } = await supply.take(turn);
  const before = await contender.settle();
  const hits = await generator.fire({ port: contender.port, connections, seconds, file, first });
  const after = await contender.settle();
  supply.used(hits.sent);
  assertAnswers(target, hits);
  const cpuMicros = after.cpuMicros - before.cpuMicros;
  return {
    perSecond: hits.requests / hits.seconds,
    // By what the server has begun, which the generator did not wait for in the end.
    cpuMicros: cpuMicros / (after.requests - before.requests),
    p50Ms: hits.p50Ms,
    p99Ms: hits.p99Ms,
    generatorBusy: hits.cpuSeconds / hits.seconds,
    serverBusy: cpuMicros / 1e6 / hits.seconds,
  };
}

/** @throws Error where something else than right answers came */
export function assertAnswers(
  { contender, connections, answerBytes, isRefused = false }: Omit<Target, 'supply'>,
  hits: Hits,
): void {
  if (hits.refused !== (isRefused ? hits.requests : 0) || hits.broken > 0) {
    throw new Error(`${contender.title}: ${hits.refused} refused, ${hits.broken} connections failed`);
  }
  const fewest = hits.requests * answerBytes * 0.97;
  const most = (hits.requests + connections) * answerBytes * 1.03; // some came too late to be counted
  if (hits.bytes < fewest || hits.bytes > most) {
    throw new Error(`${contender.title}: ${hits.bytes} bytes are not ${hits.requests} right answers`);
  }
}
