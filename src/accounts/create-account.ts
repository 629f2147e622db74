// Makes an account.
import { AuthError } from '../errors.ts';
import { checkPassword } from '../passwords/password-rules.ts';
import { assertRolesFit } from '../storage/roles.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps } from './accounts.ts';

export interface NewAccount {
  email: string;
  password: string;
  roles?: readonly string[];
}

/**
 * @param network whose turn the hash waits for; see `createBoundedQueue`
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD`, `INVALID_VALUE` (roles) or `EMAIL_TAKEN`; `RATE_LIMITED`
 */
export async function createAccount(
  { store, passwords, now }: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email: given, password, roles = [] }: NewAccount,
  network?: string,
): Promise<User> {
  const normalized = normalizeEmail(given);
  if (normalized === undefined) throw new AuthError('INVALID_EMAIL');
  const { email, key } = normalized;
  const weakness = checkPassword(password, email);
  if (weakness !== undefined) throw new AuthError('WEAK_PASSWORD', {}, `The password ${weakness}`);
  assertRolesFit(roles);
  // Asked before hashing to spare the work; the store decides.
  if (await store.findUserByEmail(key)) throw new AuthError('EMAIL_TAKEN');
  const passwordHash = await passwords.hash(password, network);
  const id = crypto.randomUUID();
  const user = await store.createUser({ id, email, emailKey: key, passwordHash, roles, createdAt: now() });
  if (user === undefined) throw new AuthError('EMAIL_TAKEN');
  return user;
}
