// Compares what a protected request costs on an empty store and on a full one.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../support/statistics.ts';
import { type Load, openLoad } from './load.ts';
import { type ServerUnderLoad, startServer } from './start-server.ts';
import type { Settings, Size, StoreKind } from './stores.ts';
import { forgeTokens, signTokens } from './tokens.ts';

export interface Growth {
  /** CPU time of a request on an empty store, in microseconds. */
  requestMicros: number;
  /** CPU time by that on the empty store in the same round, median: another process on an empty store, and the full store. */
  controlRatio: number;
  fullRatio: number;
  /** Bytes of heap. */
  bytesPerRevokedSession: number;
  bytesPerCachedToken: number;
  /** Milliseconds from `createBandha` to listening. */
  emptyReadyMs: number;
  fullReadyMs: number;
}

interface Contender {
  settings: Settings;
  /** Sent in turn by the load. */
  tokens: readonly string[];
  /** Authenticated before the load; as many for each server, so that all have done the same work. */
  shown: readonly string[];
  accepted: number;
}

interface Measured {
  micros: number[];
  /** Bytes of heap after the start, and with all tokens shown. */
  started: number;
  warm: number;
  readyMs: number;
}

/** Processes of each kind: two processes of one program differ. */
const RUNS = 3;
const CONNECTIONS = 50;
const REQUESTS_PER_SLICE = 500;
/** Per server, until hot code is compiled. */
const WARM_UP_REQUESTS = 40_000;

export async function measureGrowth(
  kind: StoreKind,
  size: Size,
  { rounds, folder }: { rounds: number; folder: string },
): Promise<Growth> {
  const full = await kind.create();
  await kind.fill(full, size);
  const signed = await signTokens(full, size.revoked, size.tokens);
  const createEmpty = async (): Promise<Contender> => {
    const settings = await kind.create();
    const tokens = await signTokens(settings, size.revoked, 1);
    return { settings, tokens, shown: forgeTokens(tokens[0] ?? '', size.tokens), accepted: 0 };
  };
  const contenders = [
    await createEmpty(),
    await createEmpty(),
    { settings: full, tokens: signed, shown: signed, accepted: signed.length },
  ];
  const runs: Measured[][] = [];
  for (let i = 0; i < RUNS; i += 1) runs.push(await runOnce(contenders, rounds, folder));

  const ratioOf = (index: number) =>
    median(
      runs.flatMap((run) => run[index]?.micros.map((micros, i) => micros / (run[0]?.micros[i] ?? 0)) ?? []),
    );
  const of = (index: number, value: (measured: Measured) => number) =>
    median(runs.flatMap((run) => run[index] ?? []).map(value));
  return {
    requestMicros: median(runs.flatMap(([empty]) => empty?.micros ?? [])),
    controlRatio: ratioOf(1),
    fullRatio: ratioOf(2),
    bytesPerRevokedSession:
      (of(2, ({ started }) => started) - of(0, ({ started }) => started)) / size.revoked,
    bytesPerCachedToken: of(2, ({ warm, started }) => warm - started) / size.tokens,
    emptyReadyMs: of(0, ({ readyMs }) => readyMs),
    fullReadyMs: of(2, ({ readyMs }) => readyMs),
  };
}

/** Starts one server for each contender and loads them in short slices in turn: A B C, then C B A. */
async function runOnce(
  contenders: readonly Contender[],
  rounds: number,
  folder: string,
): Promise<Measured[]> {
  const servers: { server: ServerUnderLoad; load: Load; measured: Measured }[] = [];
  try {
    for (const { settings, tokens, shown, accepted } of contenders) {
      const server = await startServer(settings);
      const started = await server.memory();
      await writeFile(join(folder, 'tokens'), shown.join('\n'), 'latin1');
      const count = await server.show(join(folder, 'tokens'));
      if (count !== accepted) throw new Error(`The server accepted ${count} tokens, not ${accepted}`);
      const measured = { micros: [], started, warm: await server.memory(), readyMs: server.readyMs };
      servers.push({ server, load: await openLoad(server.port, tokens, CONNECTIONS), measured });
    }
    for (const { load } of servers) await load.send(WARM_UP_REQUESTS);
    for (let round = 0; round < rounds; round += 1) {
      for (const { server, load, measured } of round % 2 === 0 ? servers : servers.toReversed()) {
        const before = await server.usage();
        await load.send(REQUESTS_PER_SLICE);
        measured.micros.push(((await server.usage()) - before) / REQUESTS_PER_SLICE);
      }
    }
    return servers.map(({ measured }) => measured);
  } finally {
    for (const { server, load } of servers) {
      load.close();
      await server.stop();
    }
  }
}
