// Starts a contender in a process of its own, and asks it how it is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Question, Settings, Usage } from '../contenders/serve.ts';
import type { Kind } from './contenders.ts';
import type { Cores, Place } from './cores.ts';
import { CONTENDERS_FOLDER } from './install-contenders.ts';

/** A process that answers questions. */
export interface Worker {
  /** From the start until it said its first word. */
  readyMs: number;
  ask<T>(question: Question): Promise<T>;
  stop(): Promise<void>;
}

export interface Contender extends Kind, Worker {
  port: number;
  usage(): Promise<Usage>;
  /** Waits until it has done what was asked of it, also for those who have gone away. */
  settle(): Promise<Usage>;
}

const QUIET_AFTER_MS = 15;
/** What an idle server takes in that time, at most. */
const QUIET_MICROS = 2_000;
const SETTLES_WITHIN_MS = 20_000;

export async function startWorker<T>(command: readonly string[]): Promise<Worker & { first: T }> {
  const startedAt = performance.now();
  const [file = '', ...args] = command;
  const env = { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' };
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${args} ended with ${code}`)));
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function next<A>(): Promise<A> {
    for (;;) {
      const { value } = await Promise.race([lines.next(), ended]);
      // Whatever else a package prints is no answer.
      if (value?.startsWith('{"answer":')) return JSON.parse(value).answer;
    }
  }
  const first = await next<T>();
  return {
    first,
    readyMs: performance.now() - startedAt,
    ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return next();
    },
    async stop() {
      child.stdin.end();
      await ended.catch(() => {});
    },
  };
}

export async function startContender(
  kind: Kind,
  settings: Settings,
  cores: Cores,
  place: Place = 'server',
): Promise<Contender> {
  const command = [kind.runtime, join(CONTENDERS_FOLDER, kind.file), JSON.stringify(settings)];
  const worker = await startWorker<{ port: number }>(cores.on(place, command));
  const usage = () => worker.ask<Usage>({ kind: 'usage' });

  async function settle(): Promise<Usage> {
    const deadline = performance.now() + SETTLES_WITHIN_MS;
    let before = await usage();
    for (;;) {
      await wait(QUIET_AFTER_MS);
      const after = await usage();
      const isQuiet = after.requests === before.requests && after.cpuMicros - before.cpuMicros < QUIET_MICROS;
      if (isQuiet || performance.now() > deadline) return after;
      before = after;
    }
  }
  return { ...kind, ...worker, port: worker.first.port, usage, settle };
}

/** Starts all of them, lets `use` have them, and stops them whatever happens. */
export async function withContenders<T>(
  kinds: readonly Kind[],
  start: (kind: Kind) => Promise<Contender>,
  use: (contenders: Contender[]) => Promise<T>,
): Promise<T> {
  const running: Contender[] = [];
  try {
    for (const kind of kinds) running.push(await start(kind));
    return await use(running);
  } finally {
    for (const { stop } of running) await stop();
  }
}
