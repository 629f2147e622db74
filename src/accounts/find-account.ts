// Reads an account.
import type { User } from '../storage/store.ts';
import type { AccountDeps } from './accounts.ts';

/** @returns undefined where there is no such account, as for a token of another issuer */
export function findAccount({ store }: AccountDeps, userId: string): Promise<User | undefined> {
  return store.findUserById(userId);
}
