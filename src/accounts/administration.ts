// Gives an account roles, or takes them away; the tokens it has are as good as expired, and the next have the new ones.

import { AuthError, ConfigError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { toLimitSubject } from '../rate-limits/login-rate-limit.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './deps.ts';
import { createUser } from './registration.ts';

/** @returns undefined where no account has the email; `changed` is false where it had these roles already */
export async function changeRoles(
  { store, now }: Pick<AccountDeps, 'store' | 'now'>,
  email: string,
  change: { add?: readonly string[]; remove?: readonly string[] },
): Promise<{ user: User; changed: boolean } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.changeRoles(key, change, now());
}

// Locks an account out: it cannot sign in, and its sessions end.

/** @returns undefined where no account has the email */
export async function disableUser(
  { store, now, config }: Pick<AccountDeps, 'store' | 'now' | 'config'>,
  email: string,
): Promise<{ user: User; endedSessions: number } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.disableUser(key, now(), config.sessionIdleSeconds);
}

// Deletes the rate limits of an account, so that its owner can sign in again.

/**
 * The same for an email without an account: limits count those too.
 *
 * @throws AuthError `INVALID_EMAIL` if it is no email address
 */
export async function unlockUser(
  { store, secrets, now }: Pick<AccountDeps, 'store' | 'secrets' | 'now'>,
  email: string,
): Promise<void> {
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_EMAIL');
  await store.clearLimits(toLimitSubject(secrets, key), now());
}

// Gives an account another password; its sessions end.

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
  const weakness = findPasswordIssue(password, normalized.email);
  if (weakness !== undefined) throw new AuthError('WEAK_PASSWORD', {}, `The password ${weakness}`);
  const passwordHash = await passwords.hash(password);
  return store.setPasswordHash(normalized.key, passwordHash, now(), config.sessionIdleSeconds);
}

// The administrator that the configuration names.

const ADMIN = 'admin';

/**
 * Creates the account with role `admin` if no account has the email; leaves one that has the role as it is.
 * @throws ConfigError if an account has the email without the role: someone else may have registered it
 * @throws AuthError `BAD_USER_INPUT` if email or password would not be accepted at registration
 */
export async function seedAdmin(
  deps: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email, password }: { email: string; password: string },
): Promise<void> {
  if (await isAdmin(deps, email)) return;
  try {
    await createUser(deps, { email, password, roles: [ADMIN] });
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

// Reads an account.

/** @returns undefined where there is no such account, as for a token of another issuer */
export function findUser({ store }: AccountDeps, userId: string): Promise<User | undefined> {
  return store.findUserById(userId);
}
