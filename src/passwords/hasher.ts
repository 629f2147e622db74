// Argon2id off the event loop, at most so many at once: what answers needs a core too.
import { availableParallelism } from 'node:os';
import { hash, parseOptions } from '@node-rs/argon2';
import { AuthError } from '../errors.ts';
import { ARGON2ID } from './argon2-worker.ts';
import { normalizePassword } from './password-rules.ts';
import { createBoundedQueue, QueueFullError } from './queue.ts';
import { assertThreadFile, createHashingPool } from './worker-pool.ts';

/** `Algorithm.Argon2id` and `Version.V0x13` of the package, whose enums exist in its types alone. */
const CURRENT_PARAMETERS = { ...ARGON2ID, algorithm: 2, version: 1 };

export interface PasswordHasherOptions {
  /** How many hashes run at once; default: one less than the cores, at least one. */
  maxRunning?: number;
  maxWaiting?: number;
  /** In milliseconds. */
  maxWaitMs?: number;
}

export interface PasswordHasher {
  /**
   * @param network whose turn it is to wait for; see `createBoundedQueue`. @default one for all who name none
   * @returns the hash in PHC string format
   * @throws AuthError `RATE_LIMITED` if too many hashes are waiting
   */
  hash(password: string, network?: string): Promise<string>;
  /**
   * Whether the password is the hash's. Takes the same time without a hash to compare with.
   * @throws AuthError `RATE_LIMITED` if too many hashes are waiting
   */
  verify(password: string, phc: string | undefined, network?: string): Promise<boolean>;
  /** Whether the hash was made with other parameters than today's. */
  needsRehash(phc: string): boolean;
  /** Ends its threads once the hashes under way are done. */
  close(): Promise<void>;
}

/** Builds the hasher, making the hash that unknown accounts are compared with. */
export async function createPasswordHasher(options: PasswordHasherOptions = {}): Promise<PasswordHasher> {
  const maxRunning = options.maxRunning ?? Math.max(1, availableParallelism() - 1);
  assertThreadFile();
  const threads = createHashingPool(maxRunning);
  const run = createBoundedQueue({
    maxRunning,
    maxWaiting: options.maxWaiting ?? 128,
    maxWaitMs: options.maxWaitMs ?? 5_000,
  });
  // What unknown accounts are compared with. Made here: no thread has to start before the first sign-in.
  const unknownHash = await hash(crypto.randomUUID(), ARGON2ID);

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
          'Too many sign-ins are waiting; try again later',
        );
      }
      throw error;
    } finally {
      pending.delete(result);
    }
  }

  return {
    hash: (password, network) => enqueue(() => threads.hash(normalizePassword(password)), network),
    async verify(password, phc, network) {
      const compared = phc ?? unknownHash;
      const matches = await enqueue(() => threads.verify(normalizePassword(password), compared), network);
      return matches && phc !== undefined;
    },
    needsRehash(phc) {
      const made: object = parseOptions(phc);
      return Object.entries(CURRENT_PARAMETERS).some(([name, value]) => Reflect.get(made, name) !== value);
    },
    async close() {
      while (pending.size > 0) await Promise.allSettled(pending);
      await threads.close();
    },
  };
}
