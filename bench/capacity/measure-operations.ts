// Measures operations in slices in turn: throughput, and CPU time on both sides.
import { alternate } from '../support/rounds.ts';
import { median } from '../support/statistics.ts';
import type { Operation } from './operations.ts';

export interface OperationCosts {
  name: string;
  /** By concurrency; median of the slices. */
  perSecond: Record<number, number>;
  /** CPU time of this process per operation in microseconds, at the highest concurrency. */
  clientMicros: number;
  /** The same of the database server; undefined for SQLite, and if the system has no /proc. */
  serverMicros: number | undefined;
}

export interface MeasureOptions {
  rounds: number;
  sliceMs: number;
  concurrencies: readonly number[];
  serverCpu: (() => number) | undefined;
}

interface Slice {
  count: number;
  ms: number;
  clientMicros: number;
  serverMicros: number;
}

export async function measureOperations(
  operations: readonly Operation[],
  { rounds, sliceMs, concurrencies, serverCpu }: MeasureOptions,
): Promise<OperationCosts[]> {
  const runs = operations.flatMap((operation) =>
    concurrencies.map((concurrency) => ({ operation, concurrency, slices: [] as Slice[] })),
  );
  for (const { operation } of runs) await runFor(sliceMs / 2, operation, 1, undefined);
  for (const [{ operation, concurrency, slices }] of alternate(runs, { rounds })) {
    slices.push(await runFor(sliceMs, operation, concurrency, serverCpu));
  }

  const most = Math.max(...concurrencies);
  return operations.map((operation) => {
    const own = runs.filter((run) => run.operation === operation);
    const slices = own.find(({ concurrency }) => concurrency === most)?.slices ?? [];
    const total = (field: keyof Slice) => slices.reduce((sum, slice) => sum + slice[field], 0);
    return {
      name: operation.name,
      perSecond: Object.fromEntries(
        own.map(({ concurrency, slices }) => [
          concurrency,
          median(slices.map(({ count, ms }) => (count / ms) * 1000)),
        ]),
      ),
      clientMicros: total('clientMicros') / total('count'),
      serverMicros: serverCpu && total('serverMicros') / total('count'),
    };
  });
}

/** Runs `concurrency` operations at a time until the time is over. */
async function runFor(
  ms: number,
  { run }: Pick<Operation, 'run'>,
  concurrency: number,
  serverCpu: (() => number) | undefined,
): Promise<Slice> {
  const serverBefore = serverCpu?.() ?? 0;
  const clientBefore = process.cpuUsage();
  const startedAt = performance.now();
  let count = 0;
  const worker = async () => {
    while (performance.now() - startedAt < ms) {
      await run();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const elapsed = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(clientBefore);
  return {
    count,
    ms: elapsed,
    clientMicros: user + system,
    serverMicros: (serverCpu?.() ?? 0) - serverBefore,
  };
}
