// Ends every session of an account.
import type { AccountDeps } from './accounts.ts';

/** @returns how many live sessions ended */
export function endAllSessions({ store, config, now }: AccountDeps, userId: string): Promise<number> {
  return store.revokeAllSessions(userId, now(), config.sessionIdleSeconds);
}
