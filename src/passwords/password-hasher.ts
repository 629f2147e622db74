// Argon2id off the event loop, at most so many at once: libuv's pool must keep threads free for everything else.
import { availableParallelism } from 'node:os';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { AuthError } from '../errors.ts';
import { createBoundedQueue, QueueFullError } from './bounded-queue.ts';
import { normalizePassword } from './check-password.ts';

/** OWASP Password Storage Cheat Sheet: Argon2id (the package's default), 19 MiB, 2 passes, 1 lane. */
const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };
/** `Algorithm.Argon2id` and `Version.V0x13` of the package, whose enums exist in its types alone. */
const MADE_AS = { ...ARGON2ID, algorithm: 2, version: 1 };

export interface PasswordHasherOptions {
  /** How many hashes run at once; default: one less than the cores, at least one. */
  maxRunning?: number;
  maxWaiting?: number;
  /** In milliseconds. */
  maxWaitMs?: number;
}

export interface PasswordHasher {
  /**
   * @returns the hash in PHC string format
   * @throws AuthError `RATE_LIMITED` when too many hashes are waiting
   */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the hash's; takes the same time where there is no hash to compare with.
   * @throws AuthError `RATE_LIMITED` when too many hashes are waiting
   */
  verify(password: string, phc: string | undefined): Promise<boolean>;
  /** Whether the hash was made with other parameters than today's. */
  needsRehash(phc: string): boolean;
}

/** Builds the hasher, making the hash that unknown accounts are compared with. */
export async function createPasswordHasher(options: PasswordHasherOptions = {}): Promise<PasswordHasher> {
  const run = createBoundedQueue({
    maxRunning: options.maxRunning ?? Math.max(1, availableParallelism() - 1),
    maxWaiting: options.maxWaiting ?? 128,
    maxWaitMs: options.maxWaitMs ?? 5_000,
  });
  const nobodysHash = await hash(crypto.randomUUID(), ARGON2ID);

  async function inTurn<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await run(task);
    } catch (error) {
      if (error instanceof QueueFullError) {
        throw new AuthError(
          'RATE_LIMITED',
          { retryAfterSeconds: 1 },
          'Too many people sign in at the moment',
        );
      }
      throw error;
    }
  }

  return {
    hash: (password) => inTurn(() => hash(normalizePassword(password), ARGON2ID)),
    async verify(password, phc) {
      const matches = await inTurn(() => verify(phc ?? nobodysHash, normalizePassword(password)));
      return matches && phc !== undefined;
    },
    needsRehash(phc) {
      const made: object = parseOptions(phc);
      return Object.entries(MADE_AS).some(([name, value]) => Reflect.get(made, name) !== value);
    },
  };
}
