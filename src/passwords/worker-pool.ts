// Threads for hashing alone. libuv's own, which most hash on, are four: they also verify signatures, look up names and read
// files, and all that would wait behind the hashes.
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { ConfigError } from '../errors.ts';

export interface HashingPool {
  hash(password: string): Promise<string>;
  /** @throws where `phc` is no hash */
  verify(password: string, phc: string): Promise<boolean>;
  /** Ends the threads; hashes under way reject. */
  close(): Promise<void>;
}

/** Threads that hash leave the processor to those that answer; elsewhere than on Linux it would hold for the whole process. */
const NICE_INCREMENT = process.platform === 'linux' ? 10 : 0;
const IDLE_TIMEOUT_MS = 30_000;

/** Undefined in a bundle of CommonJS, which has no `import.meta`. */
const THREAD = import.meta.url && new URL(`./argon2-worker${extname(import.meta.url)}`, import.meta.url);

/** @throws ConfigError if the file of the threads is not beside this one, as in a bundle */
export function assertThreadFile(file = THREAD): void {
  if (file && existsSync(file)) return;
  throw new ConfigError([
    'The threads that hash passwords are a file of their own, which a bundle does not have: leave Bandha out of the bundle, as `external`',
  ]);
}

/** Threads start when they are needed, and end when they have had nothing to do for half a minute. */
export function createHashingPool(maxThreads: number, file = THREAD): HashingPool {
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
  // A thread that cannot start, as where its file is gone, says so here alone; what waits for it would wait for ever.
  threads.on('error', (error) => {
    for (const waiting of pending) waiting.abort(error);
  });

  async function run<T>(name: 'hash' | 'verify', task: object): Promise<T> {
    if (isClosed) throw new Error('The hashing threads have ended');
    const waiting = new AbortController();
    pending.add(waiting);
    try {
      return await threads.run(task, { name, signal: waiting.signal });
    } catch (error) {
      throw waiting.signal.aborted
        ? new Error('Hashing has failed', { cause: waiting.signal.reason })
        : error;
    } finally {
      pending.delete(waiting);
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
