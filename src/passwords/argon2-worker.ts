// What a hashing thread does: Argon2id, one hash at a time.
import { hashSync, verifySync } from '@node-rs/argon2';

/** OWASP Password Storage Cheat Sheet: Argon2id (the package's default), 19 MiB, 2 passes, 1 lane. */
export const ARGON2ID = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };

/** @returns the hash in PHC string format */
export function hash({ password }: { password: string }): string {
  return hashSync(password, ARGON2ID);
}

export function verify({ password, phc }: { password: string; phc: string }): boolean {
  return verifySync(phc, password);
}
