// Gives an account roles, or takes them away; the tokens it has are as good as expired, and the next have the new ones.
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';

/** @returns undefined where no account has the email; `changed` is false where it had these roles already */
export async function changeRoles(
  { store, now }: Pick<AccountDeps, 'store' | 'now'>,
  email: string,
  change: { add?: readonly string[]; remove?: readonly string[] },
): Promise<{ user: User; changed: boolean } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.changeRoles(key, change, now());
}
