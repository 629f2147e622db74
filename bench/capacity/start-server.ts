// Starts a server in a process of its own and reads its CPU time and memory.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Settings } from './stores.ts';

export type Message = { kind: 'usage' | 'memory' | 'stop' } | { kind: 'show'; file: string };

export interface ServerUnderLoad {
  port: number;
  /** Milliseconds from `createBandha` to listening. */
  readyMs: number;
  /** CPU time of all threads since the start, in microseconds. */
  usage(): Promise<number>;
  /** Bytes of the heap after a garbage collection. */
  memory(): Promise<number>;
  /** Authenticates each line of a file; resolves to the number of tokens that were accepted. */
  show(file: string): Promise<number>;
  stop(): Promise<void>;
}

const SCRIPT = resolve(import.meta.dirname, 'server.ts');

export async function startServer(settings: Settings): Promise<ServerUnderLoad> {
  const child = fork(SCRIPT, [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
  const exited = once(child, 'exit');
  async function receive<T>(): Promise<T> {
    const message = once(child, 'message').then(([{ result }]) => result);
    const failure = exited.then(([code]) => Promise.reject(new Error(`The server exited with ${code}`)));
    return Promise.race([message, failure]);
  }
  function call<T>(message: Message): Promise<T> {
    const result = receive<T>();
    child.send(message);
    return result;
  }
  const { port, readyMs } = await receive<{ port: number; readyMs: number }>();
  return {
    port,
    readyMs,
    usage: () => call({ kind: 'usage' }),
    memory: () => call({ kind: 'memory' }),
    show: (file) => call({ kind: 'show', file }),
    async stop() {
      await call({ kind: 'stop' });
      await exited;
    },
  };
}
