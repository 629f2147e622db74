// The administrator that the configuration names.
import { AuthError } from '../errors.ts';
import type { AccountDeps } from './accounts.ts';
import { createAccount } from './create-account.ts';
import { normalizeEmail } from './email.ts';

/**
 * Makes the account with role `admin` where the email has none; one that exists is left as it is.
 * @throws AuthError `BAD_USER_INPUT` where email or password would not be accepted at registration
 */
export async function makeAdmin(
  deps: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email, password }: { email: string; password: string },
): Promise<void> {
  const key = normalizeEmail(email)?.key;
  if (key !== undefined && (await deps.store.findUserByEmail(key))) return;
  try {
    await createAccount(deps, { email, password, roles: ['admin'] });
  } catch (error) {
    // Another instance that starts at the same moment was quicker.
    if (!(error instanceof AuthError && error.reason === 'EMAIL_TAKEN')) throw error;
  }
}
