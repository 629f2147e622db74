// Makes an account and signs it in.
import { AuthError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { toNetworkSpends } from '../rate-limits/login-rate-limit.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { assertRolesFit } from '../storage/roles.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';
import { type IssuedTokens, startSession } from './sessions.ts';

/**
 * Limited per network before the email is looked up: `EMAIL_TAKEN` says which emails have an account.
 *
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD` or `EMAIL_TAKEN`; `RATE_LIMITED`
 */
export async function register(
  deps: AccountDeps,
  account: Registration,
  client: ClientInfo,
): Promise<IssuedTokens> {
  const network = toClientNetwork(client);
  const attempt = await deps.limits.spend(toNetworkSpends(deps.secrets, 'register.network', network));
  const user = await createUser(deps, account, network.network).catch(async (error) => {
    // Not if the hashing queue was full: that alone says that the email has no account.
    const isOutage = !(error instanceof AuthError) || error.reason === 'STORE_UNAVAILABLE';
    if (isOutage) await attempt.cancel();
    throw error;
  });
  await attempt.succeed();
  return startSession(deps, user, client);
}

// Makes an account.

/** What a new account is created from. */
export interface Registration {
  /** Trimmed; compared without regard to case. */
  email: string;
  /** 8 to 256 characters, neither common nor containing the email's local part. */
  password: string;
  /** The roles that the account has from the beginning. @default none */
  roles?: readonly string[];
}

/**
 * @param network whose turn the hash waits for; see `createBoundedQueue`
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD`, `INVALID_VALUE` (roles) or `EMAIL_TAKEN`; `RATE_LIMITED`
 */
export async function createUser(
  { store, passwords, now }: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email: given, password, roles = [] }: Registration,
  network?: string,
): Promise<User> {
  const normalized = normalizeEmail(given);
  if (normalized === undefined) throw new AuthError('INVALID_EMAIL');
  const { email, key } = normalized;
  const weakness = findPasswordIssue(password, email);
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
