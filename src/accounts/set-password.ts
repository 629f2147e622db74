// Gives an account another password; its sessions end.
import { AuthError } from '../errors.ts';
import { checkPassword } from '../passwords/password-rules.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';

/**
 * @returns the user and how many live sessions ended; undefined if no account has the email
 * @throws AuthError `BAD_USER_INPUT`, reason `WEAK_PASSWORD`
 */
export async function setPassword(
  { store, passwords, now, config }: Pick<AccountDeps, 'store' | 'passwords' | 'now' | 'config'>,
  { email: given, password }: { email: string; password: string },
): Promise<{ user: User; endedSessions: number } | undefined> {
  const normalized = normalizeEmail(given);
  if (normalized === undefined) return undefined;
  const weakness = checkPassword(password, normalized.email);
  if (weakness !== undefined) throw new AuthError('WEAK_PASSWORD', {}, `The password ${weakness}`);
  const passwordHash = await passwords.hash(password);
  return store.setPasswordHash(normalized.key, passwordHash, now(), config.sessionIdleSeconds);
}
