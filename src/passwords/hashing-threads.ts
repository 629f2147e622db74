// Threads for hashing alone. libuv's own, which most hash on, are four: they also verify signatures, look up names and read
// files, and all that would wait behind the hashes.
import { extname } from 'node:path';
import { Piscina } from 'piscina';

export interface HashingThreads {
  hash(password: string): Promise<string>;
  /** @throws where `phc` is no hash */
  verify(password: string, phc: string): Promise<boolean>;
  /** Ends the threads; hashes under way reject. */
  close(): Promise<void>;
}

/** On Linux, threads that hash leave the processor to those that answer where there is not enough for both. */
const NICE_INCREMENT = 10;
const IDLE_TIMEOUT_MS = 30_000;

/** Threads start when they are needed, and end when they have had nothing to do for half a minute. */
export function createHashingThreads(maxThreads: number): HashingThreads {
  const threads = new Piscina({
    filename: new URL(`./argon2-thread${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: 0,
    maxThreads,
    idleTimeout: IDLE_TIMEOUT_MS,
    niceIncrement: NICE_INCREMENT,
    recordTiming: false,
  });
  return {
    hash: (password) => threads.run({ password }, { name: 'hash' }),
    verify: (password, phc) => threads.run({ password, phc }, { name: 'verify' }),
    close: () => threads.destroy(),
  };
}
