// Hashes and verifies passwords with Argon2id, in worker threads behind a bounded queue.
import { availableParallelism } from 'node:os';
import { hash, parseOptions } from '@node-rs/argon2';
import { AuthError } from '../errors.ts';
import { ARGON2ID } from './argon2-worker.ts';
import { normalizePassword } from './password-rules.ts';
import { createBoundedQueue, QueueFullError } from './queue.ts';
import { assertWorkerFile, createHashingPool } from './worker-pool.ts';

/** As `parseOptions` returns them: the enum values `Algorithm.Argon2id` and `Version.V0x13` exist only in the package's types. */
const CURRENT_PARAMETERS = { ...ARGON2ID, algorithm: 2, version: 1 };

export interface PasswordHasherOptions {
  /** Maximum number of hashes that run at the same time. @default CPU cores minus one, so that one is left for requests */
  maxRunning?: number;
  /** Maximum number of hashes in the queue. @default 128 */
  maxWaiting?: number;
  /** Maximum time of a hash in the queue, in milliseconds. @default 5000 */
  maxWaitMs?: number;
}

export interface PasswordHasher {
  /**
   * Hashes a password after normalizing it.
   *
   * @param network network of the client, for fair queueing (see `createBoundedQueue`); calls without one share a queue
   * @returns the hash in PHC string format
   * @throws {@link AuthError} `RATE_LIMITED` if the queue is full
   */
  hash(password: string, network?: string): Promise<string>;
  /**
   * Verifies a password.
   *
   * @param phc hash in PHC string format; undefined for an unknown account, which takes the same time and returns false
   * @param network as for `hash`
   * @throws {@link AuthError} `RATE_LIMITED` if the queue is full
   */
  verify(password: string, phc: string | undefined, network?: string): Promise<boolean>;
  /** @returns whether the hash was computed with other parameters than the current ones */
  needsRehash(phc: string): boolean;
  /** Waits for pending hashes, then ends the threads. */
  close(): Promise<void>;
}

/** @throws {@link ConfigError} if the file of the worker threads is missing, as in a bundle */
export async function createPasswordHasher(options: PasswordHasherOptions = {}): Promise<PasswordHasher> {
  const maxRunning = options.maxRunning ?? Math.max(1, availableParallelism() - 1);
  assertWorkerFile();
  const pool = createHashingPool(maxRunning);
  const run = createBoundedQueue({
    maxRunning,
    maxWaiting: options.maxWaiting ?? 128,
    maxWaitMs: options.maxWaitMs ?? 5_000,
  });
  // Verified in place of the hash of an unknown account. Computed in this thread: none has to start before the first login.
  const dummyHash = await hash(crypto.randomUUID(), ARGON2ID);

  const pending = new Set<Promise<unknown>>();

  async function enqueue<T>(task: () => Promise<T>, network = ''): Promise<T> {
    const result = run(task, network);
    pending.add(result);
    try {
      return await result;
    } catch (error) {
      if (error instanceof QueueFullError) {
        throw new AuthError(
          'RATE_LIMITED',
          { retryAfterSeconds: 1 },
          'The server is busy with other logins; try again later',
        );
      }
      throw error;
    } finally {
      pending.delete(result);
    }
  }

  return {
    hash: (password, network) => enqueue(() => pool.hash(normalizePassword(password)), network),
    async verify(password, phc, network) {
      const hashToVerify = phc ?? dummyHash;
      const matches = await enqueue(() => pool.verify(normalizePassword(password), hashToVerify), network);
      return matches && phc !== undefined;
    },
    needsRehash(phc) {
      const parameters: object = parseOptions(phc);
      return Object.entries(CURRENT_PARAMETERS).some(
        ([name, value]) => Reflect.get(parameters, name) !== value,
      );
    },
    async close() {
      while (pending.size > 0) await Promise.allSettled(pending);
      await pool.close();
    },
  };
}
