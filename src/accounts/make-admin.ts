// The administrator that the configuration names.
import { AuthError, ConfigError } from '../errors.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';
import { createAccount } from './create-account.ts';

const ADMIN = 'admin';

/**
 * Creates the account with role `admin` if no account has the email; leaves one that has the role as it is.
 * @throws ConfigError if an account has the email without the role: someone else may have registered it
 * @throws AuthError `BAD_USER_INPUT` if email or password would not be accepted at registration
 */
export async function makeAdmin(
  deps: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email, password }: { email: string; password: string },
): Promise<void> {
  if (await isAdmin(deps, email)) return;
  try {
    await createAccount(deps, { email, password, roles: [ADMIN] });
  } catch (error) {
    // Another instance that starts at the same moment was quicker, or someone has registered it in this moment.
    if (!(error instanceof AuthError && error.reason === 'EMAIL_TAKEN') || !(await isAdmin(deps, email)))
      throw error;
  }
}

async function isAdmin({ store }: Pick<AccountDeps, 'store'>, email: string): Promise<boolean> {
  const key = normalizeEmail(email)?.key;
  const found = key === undefined ? undefined : await store.findUserByEmail(key);
  if (found === undefined) return false;
  if (found.user.roles.includes(ADMIN)) return true;
  throw new ConfigError([
    'BANDHA_ADMIN_EMAIL: is the address of an account without the role admin, which someone else may have registered. Take another address; or take the account over: run "bandha users password EMAIL", which ends its sessions, then "bandha users roles add EMAIL admin"',
  ]);
}
