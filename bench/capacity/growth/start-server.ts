// Starts a server in a process of its own, and asks it how it is.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { BandhaOptions } from '../../../src/bandha.ts';

export type Settings = Pick<BandhaOptions, 'databaseUrl' | 'secret' | 'accessTtlSeconds'>;

export type Question = { kind: 'usage' | 'memory' | 'stop' } | { kind: 'warm'; file: string };

export interface Answer {
  /** Since the start: CPU time of all threads, and collections of the whole heap. */
  usage: { cpuMicros: number; major: number; majorMs: number };
  /** Bytes, after a collection. */
  memory: { heapUsed: number; rss: number };
  /** How many of the tokens in the file, one a line, were accepted. */
  warm: number;
  stop: null;
}

export interface ServerUnderLoad {
  port: number;
  /** From the call of `createBandha` until it listens. */
  readyMs: number;
  usage(): Promise<Answer['usage']>;
  memory(): Promise<Answer['memory']>;
  warm(file: string): Promise<number>;
  stop(): Promise<void>;
}

const SCRIPT = resolve(import.meta.dirname, 'server.ts');

export async function startServer(settings: Settings): Promise<ServerUnderLoad> {
  const child = fork(SCRIPT, [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit');

  async function next<T>(): Promise<T> {
    const message = once(child, 'message').then(([{ answer }]) => answer);
    const end = ended.then(([code]) => Promise.reject(new Error(`The server ended with ${code}`)));
    return Promise.race([message, end]);
  }
  function ask<T>(question: Question): Promise<T> {
    const answer = next<T>();
    child.send(question);
    return answer;
  }

  const { port, readyMs } = await next<{ port: number; readyMs: number }>();
  return {
    port,
    readyMs,
    usage: () => ask({ kind: 'usage' }),
    memory: () => ask({ kind: 'memory' }),
    warm: (file) => ask({ kind: 'warm', file }),
    async stop() {
      await ask({ kind: 'stop' });
      await ended;
    },
  };
}
