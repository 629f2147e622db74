// Starts contenders in processes of their own and sends them commands.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command, Settings, Usage } from '../contenders/serve.ts';
import { BANDHA, type ContenderKind } from './contenders.ts';
import type { Pin } from './cores.ts';
import { CONTENDERS_FOLDER } from './install-contenders.ts';

export interface Contender extends ContenderKind {
  port: number;
  origin: string;
  /** Milliseconds from the start of the process until it listens. */
  readyMs: number;
  call<T>(command: Command): Promise<T>;
  usage(): Promise<Usage>;
  /** Waits until the server is idle: it may still process requests whose clients are gone. */
  settle(): Promise<Usage>;
  stop(): Promise<void>;
}

export interface ContenderStart {
  kind: ContenderKind;
  settings: Settings;
  pin?: Pin;
}

const SETTLE_INTERVAL_MS = 15;
/** CPU time of an idle server in that interval, at most. */
const IDLE_MICROS = 2_000;
const SETTLE_TIMEOUT_MS = 20_000;

export async function startContender({
  kind,
  settings,
  pin = (command) => command,
}: ContenderStart): Promise<Contender> {
  const startedAt = performance.now();
  const [file = '', ...args] = pin([
    kind.runtime,
    join(CONTENDERS_FOLDER, kind.file),
    JSON.stringify(settings),
  ]);
  const env = { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' };
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exited = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`${kind.title} exited with ${code}`)),
  );
  exited.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function receive<T>(): Promise<T> {
    for (;;) {
      const { value } = await Promise.race([lines.next(), exited]);
      // Packages may print other lines.
      if (value?.startsWith('{"result":')) return JSON.parse(value).result;
    }
  }
  function call<T>(command: Command): Promise<T> {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return receive();
  }
  const usage = () => call<Usage>({ kind: 'usage' });

  const { port } = await receive<{ port: number }>();
  return {
    ...kind,
    port,
    origin: `http://127.0.0.1:${port}`,
    readyMs: performance.now() - startedAt,
    call,
    usage,
    async settle() {
      const deadline = performance.now() + SETTLE_TIMEOUT_MS;
      let before = await usage();
      for (;;) {
        await wait(SETTLE_INTERVAL_MS);
        const after = await usage();
        const isIdle = after.requests === before.requests && after.cpuMicros - before.cpuMicros < IDLE_MICROS;
        if (isIdle || performance.now() > deadline) return after;
        before = after;
      }
    },
    async stop() {
      child.stdin.end();
      await exited.catch(() => {});
    },
  };
}

/** Starts contenders for `use`, and stops them afterwards, also after an error. */
export async function withContenders<T>(
  starts: readonly ContenderStart[],
  use: (contenders: Contender[]) => Promise<T>,
): Promise<T> {
  const running: Contender[] = [];
  try {
    for (const start of starts) running.push(await startContender(start));
    return await use(running);
  } finally {
    for (const { stop } of running) await stop();
  }
}

export function withBandha<T>(
  settings: Settings,
  pin: Pin,
  use: (bandha: Contender) => Promise<T>,
): Promise<T> {
  return withContenders([{ kind: BANDHA, settings, pin }], ([bandha]) => use(bandha as Contender)); // the one started
}
