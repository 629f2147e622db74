// Worker threads that only hash. In libuv's pool of four threads, which most packages use, signature checks, DNS lookups
// and file reads would wait behind the hashes.
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { ConfigError } from '../errors.ts';

export interface HashingPool {
  /** @returns the hash in PHC string format */
  hash(password: string): Promise<string>;
  /** @throws if `phc` is not a hash in PHC string format */
  verify(password: string, phc: string): Promise<boolean>;
  /** Ends the threads. Pending calls reject, later calls too. */
  close(): Promise<void>;
}

/** Lowers the priority below that of request handling. Linux only: elsewhere it would apply to the whole process. */
const NICE_INCREMENT = process.platform === 'linux' ? 10 : 0;
const IDLE_TIMEOUT_MS = 30_000;

/** Undefined in a CommonJS bundle, which lacks `import.meta.url`. */
const WORKER_FILE = import.meta.url && new URL(`./argon2-worker${extname(import.meta.url)}`, import.meta.url);

/** @throws {@link ConfigError} if the file of the worker threads is not beside this one, as in a bundle */
export function assertWorkerFile(file = WORKER_FILE): void {
  if (file && existsSync(file)) return;
  throw new ConfigError([
    'bandha: must not be bundled, since password hashing loads argon2-worker as a separate file; mark it as `external` in the bundler',
  ]);
}

/** Creates a pool whose threads start on demand, and end after `IDLE_TIMEOUT_MS` without work. */
export function createHashingPool(maxThreads: number, file = WORKER_FILE): HashingPool {
  const threads = new Piscina({
    filename: new URL(file).href,
    minThreads: 0,
    maxThreads,
    idleTimeout: IDLE_TIMEOUT_MS,
    niceIncrement: NICE_INCREMENT,
    recordTiming: false,
  });
  let isClosed = false;
  const pending = new Set<AbortController>();
  // The only report of a thread that cannot start, for example because its file is missing. Its calls would never settle.
  threads.on('error', (error) => {
    for (const controller of pending) controller.abort(error);
  });

  async function run<T>(name: 'hash' | 'verify', task: object): Promise<T> {
    if (isClosed) throw new Error('The hashing pool is closed');
    const controller = new AbortController();
    pending.add(controller);
    try {
      return await threads.run(task, { name, signal: controller.signal });
    } catch (error) {
      throw controller.signal.aborted
        ? new Error('Password hashing failed', { cause: controller.signal.reason })
        : error;
    } finally {
      pending.delete(controller);
    }
  }

  return {
    hash: (password) => run('hash', { password }),
    verify: (password, phc) => run('verify', { password, phc }),
    async close() {
      isClosed = true;
      await threads.destroy();
    },
  };
}
