// Deletes the rate limits of an account, so that its owner can sign in again.
import { AuthError } from '../errors.ts';
import { toLimitSubject } from '../rate-limits/sign-in-limits.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';

/**
 * The same for an email without an account: limits count those too.
 *
 * @throws AuthError `INVALID_EMAIL` if it is no email address
 */
export async function unlockAccount(
  { store, secrets, now }: Pick<AccountDeps, 'store' | 'secrets' | 'now'>,
  email: string,
): Promise<void> {
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_EMAIL');
  await store.clearLimits(toLimitSubject(secrets, key), now());
}
