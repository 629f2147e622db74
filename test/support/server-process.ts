// Runs the command `bandha` and servers as separate processes, which tests observe by their output.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A server that has not printed its address by then is killed. */
const START_TIMEOUT_MS = 150_000;
const CLI = resolve(import.meta.dirname, '../../src/cli.ts');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** The environment of the process, for commands on the same store. */
  env: Record<string, string>;
  /** Everything printed so far. */
  output(): string;
  /** Sends the signal and waits for the exit. @default 'SIGTERM' */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Creates a temporary folder for `use`, and removes it afterwards. */
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

/** Runs the command `bandha` until it exits. */
export async function runBandha(
  args: readonly string[],
  { env, input = '', cwd }: { env: Record<string, string>; input?: string; cwd?: string },
): Promise<Finished> {
  const child = spawn(process.execPath, [CLI, ...args], {
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

/** Starts `bandha serve` and waits until it prints its address. */
export async function startServerProcess(env: Record<string, string>, cwd?: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [CLI, 'serve'], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const killTimer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  let output = '';
  const url = await new Promise<string>((found, failed) => {
    const read = (chunk: string) => {
      output += chunk;
      const address = /http:\/\/localhost:(\d+)\/graphql/.exec(output);
      if (address) found(`http://127.0.0.1:${address[1]}`);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('exit', (code) => failed(new Error(`The server exited with ${code}:\n${output}`)));
  }).finally(() => clearTimeout(killTimer));
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
