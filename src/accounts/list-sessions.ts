// The live sessions of an account, for its owner.
import { endsAt } from '../sessions/refresh-policy.ts';
import type { Session } from '../storage/store.ts';
import type { AccountDeps } from './accounts.ts';

/** @returns the most recently used first; `expiresAt` is when each ends if it is not used again */
export async function listSessions({ store, config, now }: AccountDeps, userId: string): Promise<Session[]> {
  const sessions = await store.listLiveSessions(userId, now(), config.sessionIdleSeconds);
  return sessions.map((session) => ({ ...session, expiresAt: endsAt(session, config.sessionIdleSeconds) }));
}
