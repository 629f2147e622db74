// Loads servers in short slices in turn (A B C, C B A, …), so that they can be compared slice by slice.
import { alternate, type RoundOptions } from '../support/rounds.ts';
import type { Generator, LoadResult } from './generator.ts';
import type { RequestSource } from './requests.ts';
import type { Contender } from './start-contender.ts';

export interface Target {
  contender: Contender;
  source: RequestSource;
  connections: number;
  /** Bytes of the expected response, head and body; other responses have other lengths. */
  responseBytes: number;
  /** Whether the expected response has a status of 400 or more. */
  expectsError?: boolean;
}

export interface Slice {
  perSecond: number;
  cpuMicros: number;
  p99Ms: number;
  /** Share of its core that the generator used; near 1 it is the bottleneck. */
  generatorUse: number;
  /** Share of one core that the server used. */
  serverUse: number;
}

export interface SliceOptions extends RoundOptions {
  generator: Generator;
  seconds: number;
  /** For each target, before the first round. */
  warmUpSlices: number;
  note(progress: string): void;
}

const WARM_UP_CONNECTIONS = 50;
const RESPONSE_BYTES_TOLERANCE = 0.03;

/**
 * @param scenarios each has the targets that are compared with each other
 * @returns for each scenario and target its slices, one per round
 */
export async function loadSlices(
  scenarios: readonly (readonly Target[])[],
  options: SliceOptions,
): Promise<Slice[][][]> {
  const runs = scenarios.map((targets, scenario) =>
    targets.map((target) => ({ target, scenario, slices: [] as Slice[] })),
  );
  options.note('warming up');
  for (const { target } of runs.flat()) await warmUp(target, options);
  for (const [{ target, scenario, slices }, round] of alternate(runs.flat(), {
    ...options,
    warmUpRounds: 1,
  })) {
    const slice = await loadSlice(target, round * scenarios.length + scenario, options);
    if (round >= 0) slices.push(slice);
  }
  return runs.map((targets) => targets.map(({ slices }) => slices));
}

/** Loads the server until its caches are filled and its hot code is compiled. */
async function warmUp(target: Target, options: SliceOptions): Promise<void> {
  for (let slice = 0; slice < options.warmUpSlices || !target.source.isWarm(); slice += 1) {
    await loadSlice({ ...target, connections: WARM_UP_CONNECTIONS }, -1_000 - slice, options);
  }
}

export async function loadSlice(
  target: Target,
  slice: number,
  { generator, seconds }: Pick<SliceOptions, 'generator' | 'seconds'>,
): Promise<Slice> {
  const { contender, source, connections } = target;
  const requests = await source.next(slice);
  const before = await contender.settle();
  const result = await generator.run({ port: contender.port, connections, seconds, ...requests });
  const after = await contender.settle();
  source.onSent(result.sent);
  assertResponses(target, result);
  const cpuMicros = after.cpuMicros - before.cpuMicros;
  return {
    perSecond: result.requests / result.seconds,
    // By requests begun: at the end, the generator does not wait for all responses.
    cpuMicros: cpuMicros / (after.requests - before.requests),
    p99Ms: result.p99Ms,
    generatorUse: result.cpuSeconds / result.seconds,
    serverUse: cpuMicros / 1e6 / result.seconds,
  };
}

/** @throws Error if there were other responses than the expected ones */
export function assertResponses(
  { contender, connections, responseBytes, expectsError = false }: Omit<Target, 'source'>,
  { requests, errorResponses, failedConnections, bytes }: LoadResult,
): void {
  if (errorResponses !== (expectsError ? requests : 0) || failedConnections > 0) {
    throw new Error(
      `${contender.title}: ${errorResponses} error responses, ${failedConnections} failed connections`,
    );
  }
  const fewest = requests * responseBytes * (1 - RESPONSE_BYTES_TOLERANCE);
  // Some responses arrive too late to be counted.
  const most = (requests + connections) * responseBytes * (1 + RESPONSE_BYTES_TOLERANCE);
  if (bytes < fewest || bytes > most) {
    throw new Error(`${contender.title}: ${bytes} bytes are not ${requests} expected responses`);
  }
}
