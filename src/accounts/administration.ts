// Administration of users by email: roles, password, lockout, the configured administrator.
import { AuthError, ConfigError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { toLimitSubject } from '../rate-limits/login-rate-limit.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './deps.ts';
import { createUser } from './registration.ts';

const ADMIN = 'admin';

/** See `Accounts.findUser`. */
export function findUser({ store }: AccountDeps, userId: string): Promise<User | undefined> {
  return store.findUserById(userId);
}

/**
 * Adds and removes roles. Access tokens with the previous roles are rejected as expired; the next ones have the new roles.
 *
 * @returns undefined if no user has the email; `changed` is false if the user had these roles already
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_VALUE`, if a token cannot carry the roles
 */
export async function changeRoles(
  { store, now }: Pick<AccountDeps, 'store' | 'now'>,
  email: string,
  change: { add?: readonly string[]; remove?: readonly string[] },
): Promise<{ user: User; changed: boolean } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.changeRoles(key, change, now());
}

/**
 * Disables an account: its sessions are revoked, and signing in fails with `INVALID_CREDENTIALS`.
 *
 * @returns the user and the number of live sessions that were revoked; undefined if no user has the email
 */
export async function disableUser(
  { store, now, config }: Pick<AccountDeps, 'store' | 'now' | 'config'>,
  email: string,
): Promise<{ user: User; revokedSessions: number } | undefined> {
  const key = normalizeEmail(email)?.key;
  return key === undefined ? undefined : store.disableUser(key, now(), config.sessionIdleSeconds);
}

/**
 * Clears the rate limits of an account, so that its owner can sign in after too many failures. An email without an account has
 * rate limits too, and does not fail.
 *
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`
 */
export async function unlockUser(
  { store, secrets, now }: Pick<AccountDeps, 'store' | 'secrets' | 'now'>,
  email: string,
): Promise<void> {
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_EMAIL');
  await store.clearLimits(toLimitSubject(secrets, key), now());
}

/**
 * Replaces the password of an account and revokes its sessions.
 *
 * @returns the user and the number of live sessions that were revoked; undefined if no user has the email
 * @throws AuthError `BAD_USER_INPUT`, reason `WEAK_PASSWORD`
 */
export async function setPassword(
  { store, passwords, now, config }: Pick<AccountDeps, 'store' | 'passwords' | 'now' | 'config'>,
  { email, password }: { email: string; password: string },
): Promise<{ user: User; revokedSessions: number } | undefined> {
  const normalized = normalizeEmail(email);
  if (normalized === undefined) return undefined;
  const issue = findPasswordIssue(password, normalized.email);
  if (issue !== undefined) throw new AuthError('WEAK_PASSWORD', {}, `The password ${issue}`);
  const passwordHash = await passwords.hash(password);
  return store.setPasswordHash(normalized.key, passwordHash, now(), config.sessionIdleSeconds);
}

/**
 * Creates the configured administrator with role `admin` if no user has the email. An existing administrator is not changed.
 *
 * @throws ConfigError if a user has the email without the role: an attacker may have registered it
 * @throws AuthError `BAD_USER_INPUT` if registration would reject the email or the password
 */
export async function seedAdmin(
  deps: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email, password }: { email: string; password: string },
): Promise<void> {
  if (await isAdmin(deps, email)) return;
  try {
    await createUser(deps, { email, password, roles: [ADMIN] });
  } catch (error) {
    // Another instance, or a registration, has created a user with this email since the check above.
    if (!(error instanceof AuthError && error.reason === 'EMAIL_TAKEN') || !(await isAdmin(deps, email)))
      throw error;
  }
}

/** @throws ConfigError if a user has the email without the role */
async function isAdmin({ store }: Pick<AccountDeps, 'store'>, email: string): Promise<boolean> {
  const key = normalizeEmail(email)?.key;
  const found = key === undefined ? undefined : await store.findUserByEmail(key);
  if (found === undefined) return false;
  if (found.user.roles.includes(ADMIN)) return true;
  throw new ConfigError([
    'BANDHA_ADMIN_EMAIL: must be the address of an account with the role admin, or of no account yet; someone else may have registered this one. Use another address; or take the account over: run "bandha users password EMAIL", which revokes its sessions, then "bandha users roles add EMAIL admin"',
  ]);
}
