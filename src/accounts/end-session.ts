// Ends one session of an account.
import type { AccountDeps } from './accounts.ts';

/** @returns false where the account has no such live session; another account's is left alone */
export function endSession(
  { store, config, now }: AccountDeps,
  id: { userId: string; sessionId: string },
): Promise<boolean> {
  return store.revokeSession(id, now(), config.sessionIdleSeconds);
}
