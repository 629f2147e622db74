// Locks an account out: it cannot sign in, and its sessions end.
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';

/** @returns undefined where no account has the email */
export async function disableAccount(
  { store, now, config }: Pick<AccountDeps, 'store' | 'now' | 'config'>,
  email: string,
): Promise<{ user: User; endedSessions: number } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.disableUser(key, now(), config.sessionIdleSeconds);
}
