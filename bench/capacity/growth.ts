// Compares what a protected request costs on an empty store and on a full one.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BANDHA } from '../compare/contenders.ts';
import { type Contender, withContenders } from '../compare/start-contender.ts';
import type { Condition } from '../contenders/bandha.ts';
import { alternate } from '../support/rounds.ts';
import { median } from '../support/statistics.ts';
import type { TokenIssuer } from '../support/token-issuer.ts';
import { idOf, userOf } from './fill-store.ts';
import { openLoad } from './load.ts';
import type { Size, StoreKind } from './stores.ts';

export interface Growth {
  /** CPU time of a request on an empty store, in microseconds. */
  requestMicros: number;
  /** CPU time by that on the empty store in the same round, median: another process on an empty store, and the full store. */
  controlRatio: number;
  fullRatio: number;
  /** Bytes of heap. */
  bytesPerRevokedSession: number;
  bytesPerCachedToken: number;
  /** Milliseconds from the start of the process to listening. */
  emptyReadyMs: number;
  fullReadyMs: number;
}

/** A server to load, on a store of its own. */
interface Target {
  issuer: TokenIssuer;
  /** Sent in turn by the load. */
  tokens: readonly string[];
  /** Authenticated before the load; as many for each server, so that all have done the same work. */
  authenticated: readonly string[];
  accepted: number;
}

interface Measured {
  micros: number[];
  /** Bytes of heap after the start, and with all tokens authenticated. */
  started: number;
  warm: number;
  readyMs: number;
}

interface Running {
  server: Contender;
  target: Target;
  measured: Measured;
}

/** Processes of each kind: two processes of one program differ. */
const RUNS = 3;
const CONNECTIONS = 50;
const REQUESTS_PER_SLICE = 500;
/** Until hot code is compiled: 40,000 requests per server. */
const WARM_UP_ROUNDS = 80;

export async function measureGrowth(
  kind: StoreKind,
  size: Size,
  { rounds, folder }: { rounds: number; folder: string },
): Promise<Growth> {
  const signTokens = async (issuer: TokenIssuer, count: number) => {
    const subjectOf = (i: number) => {
      const session = size.revoked + i;
      return { userId: idOf('user', userOf(session)), sessionId: idOf('session', session) };
    };
    return shuffle(await issuer.signTokens(count, subjectOf));
  };
  const createEmpty = async (): Promise<Target> => {
    const issuer = await kind.create();
    const tokens = await signTokens(issuer, 1);
    return { issuer, tokens, authenticated: forgeTokens(tokens[0] ?? '', size.tokens), accepted: 0 };
  };
  const full = await kind.create();
  await kind.fill(full.settings.databaseUrl, size);
  const tokens = await signTokens(full, size.tokens);
  const targets: Target[] = [
    await createEmpty(),
    await createEmpty(),
    { issuer: full, tokens, authenticated: tokens, accepted: tokens.length },
  ];
  const runs: Measured[][] = [];
  for (let i = 0; i < RUNS; i += 1) runs.push(await runOnce(targets, rounds, folder));

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

/** Starts one server for each target and loads them in short slices in turn. */
function runOnce(targets: readonly Target[], rounds: number, folder: string): Promise<Measured[]> {
  const starts = targets.map(({ issuer }) => ({ kind: BANDHA, settings: issuer.settings }));
  return withContenders(starts, async (servers) => {
    const running: Running[] = [];
    for (const [i, server] of servers.entries()) {
      const target = targets[i] as Target; // one per server
      running.push({ server, target, measured: await authenticateAll(server, target, folder) });
    }
    const loads = await Promise.all(
      running.map(async (one) => ({
        ...one,
        load: await openLoad(one.server.port, one.target.tokens, CONNECTIONS),
      })),
    );
    const options = { rounds, warmUpRounds: WARM_UP_ROUNDS };
    for (const [{ server, load, measured }, round] of alternate(loads, options)) {
      const before = await server.usage();
      await load.send(REQUESTS_PER_SLICE);
      const { cpuMicros } = await server.usage();
      if (round >= 0) measured.micros.push((cpuMicros - before.cpuMicros) / REQUESTS_PER_SLICE);
    }
    for (const { load } of loads) load.close();
    return running.map(({ measured }) => measured);
  });
}

async function authenticateAll(server: Contender, target: Target, folder: string): Promise<Measured> {
  const started = await readHeap(server);
  const file = join(folder, 'tokens');
  await writeFile(file, target.authenticated.join('\n'), 'latin1');
  const count = await server.call<number>({ kind: 'authenticate', file });
  if (count !== target.accepted) {
    throw new Error(`The server accepted ${count} tokens, not ${target.accepted}`);
  }
  return { micros: [], started, warm: await readHeap(server), readyMs: server.readyMs };
}

async function readHeap(server: Contender): Promise<number> {
  return (await server.call<Condition>({ kind: 'condition' })).heapBytes;
}

/** Tokens with random signatures: they cost a verification, are rejected, and are not cached. */
function forgeTokens(token: string, count: number): string[] {
  const signed = token.slice(0, token.lastIndexOf('.'));
  return Array.from({ length: count }, () => `${signed}.${randomBytes(64).toString('base64url')}`);
}

/** Neighbors in memory are not requested one after the other. */
function shuffle<T>(values: T[]): T[] {
  for (let i = values.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [values[i], values[j]] = [values[j] as T, values[i] as T]; // both are below the length
  }
  return values;
}
