// Starts a server in a process of its own, and checks its health while it is under load.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { send } from './http.ts';

export interface ServerProcess {
  origin: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** The command `bandha serve`. */
export const BANDHA_SERVE = [process.execPath, resolve(import.meta.dirname, '../../src/cli.ts'), 'serve'];

/** @param command of a server that prints `http://localhost:PORT/graphql` when it is ready */
export async function startServer(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ServerProcess> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const port = await new Promise<number>((found, failed) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output = `${output}${text}`.slice(-10_000);
      const match = /http:\/\/localhost:(\d+)\/graphql/.exec(output);
      if (match) found(Number(match[1]));
    });
    exited.then(([code]) => failed(new Error(`The server exited with ${code}:\n${output}`)), failed);
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0, // it has one: it has printed its address
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/**
 * Requests `/health/live` again and again during a task.
 *
 * @param onCheck called after each check
 * @returns the milliseconds of each check
 * @throws Error if a check fails
 */
export async function checkHealthDuring(
  { origin }: ServerProcess,
  { intervalMs, onCheck }: { intervalMs: number; onCheck?: (count: number) => unknown },
  task: () => Promise<unknown>,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let isDone = false;
  const check = async () => {
    while (!isDone) {
      const { status, ms } = await send(`${origin}/health/live`, { agent });
      if (status !== 200) throw new Error(`/health/live has status ${status}`);
      times.push(ms);
      await onCheck?.(times.length);
      await wait(intervalMs);
    }
  };
  const checking = check();
  try {
    await Promise.race([task(), checking]);
  } finally {
    isDone = true;
  }
  await checking;
  agent.destroy();
  return times;
}
