// The server as its users start it: a process of its own, known by what it prints.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** One that does not say where it listens by then is given up. */
const START_WITHIN_MS = 150_000;
const MAIN = resolve(import.meta.dirname, '../../src/cli.ts');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** The environment it was started with, for commands on the same store. */
  env: Record<string, string>;
  /** Everything printed so far. */
  output(): string;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A folder that is gone after `use`. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The environment of a server in `folder`, on a port that the system chooses. */
export function serverEnv(folder: string, env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    PORT: '0',
    DATABASE_URL: `sqlite:${join(folder, 'bandha.db')}`,
    BANDHA_SECRET: 'a secret that only these tests know of',
    ...env,
  };
}

/** Runs the command `bandha` to its end. */
export async function runBandha(
  args: readonly string[],
  { env, input = '', cwd }: { env: Record<string, string>; input?: string; cwd?: string },
): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env,
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** Starts `bandha serve` and waits until it says where it listens. */
export async function startServerProcess(env: Record<string, string>, cwd?: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), START_WITHIN_MS);
  let output = '';
  const url = await new Promise<string>((found, failed) => {
    const read = (chunk: string) => {
      output += chunk;
      const address = /http:\/\/localhost:(\d+)\/graphql/.exec(output);
      if (address) found(`http://127.0.0.1:${address[1]}`);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('exit', (code) => failed(new Error(`The server ended with ${code}:\n${output}`)));
  }).finally(() => clearTimeout(late));
  return {
    url,
    child,
    env,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}
