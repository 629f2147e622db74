// Runs in a worker thread: computes and verifies Argon2id hashes, one at a time.
import { hashSync, verifySync } from '@node-rs/argon2';

/** Argon2id, the default algorithm of the package, with 19 MiB, 2 passes and 1 lane (OWASP Password Storage Cheat Sheet). */
export const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };

/** @returns the hash in PHC string format */
export function hash({ password }: { password: string }): string {
  return hashSync(password, ARGON2ID);
}

/** @throws if `phc` is not a hash in PHC string format */
export function verify({ password, phc }: { password: string; phc: string }): boolean {
  return verifySync(phc, password);
}
