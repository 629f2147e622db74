// Registration of users.
import { AuthError } from '../errors.ts';
import { findPasswordIssue } from '../passwords/password-rules.ts';
import { toNetworkSpends } from '../rate-limits/login-rate-limit.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { assertRolesFit } from '../storage/roles.ts';
import type { User } from '../storage/store.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';
import { type IssuedTokens, startSession } from './sessions.ts';

/** A user to create. */
export interface Registration {
  /** `local@domain`, in any script (RFC 6531); trimmed, unique regardless of case. */
  email: string;
  /** 8 to 256 characters, neither common nor containing the email's local part. */
  password: string;
  /** Never take them from the person who registers. @default [] */
  roles?: readonly string[];
}

/** See `Accounts.register`. */
export async function register(
  deps: AccountDeps,
  registration: Registration,
  client: ClientInfo,
): Promise<IssuedTokens> {
  const network = toClientNetwork(client);
  const attempt = await deps.limits.spend(toNetworkSpends(deps.secrets, 'register.network', network));
  const user = await createUser(deps, registration, network.network).catch(async (error) => {
    // A full hashing queue counts as an attempt: its error reveals that the email has no account.
    const isOutage = !(error instanceof AuthError) || error.reason === 'STORE_UNAVAILABLE';
    if (isOutage) await attempt.cancel();
    throw error;
  });
  await attempt.succeed();
  return startSession(deps, user, client);
}

/**
 * Creates a user without a session.
 *
 * @param network key of the hashing queue: networks take turns in it
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD`, `INVALID_VALUE` (roles) or `EMAIL_TAKEN`; `RATE_LIMITED`
 *   if the hashing queue is full
 */
export async function createUser(
  { store, passwords, now }: Pick<AccountDeps, 'store' | 'passwords' | 'now'>,
  { email: input, password, roles = [] }: Registration,
  network?: string,
): Promise<User> {
  const normalized = normalizeEmail(input);
  if (normalized === undefined) throw new AuthError('INVALID_EMAIL');
  const { email, key } = normalized;
  const issue = findPasswordIssue(password, email);
  if (issue !== undefined) throw new AuthError('WEAK_PASSWORD', {}, `The password ${issue}`);
  assertRolesFit(roles);
  // Only saves a useless hash. The unique key in the store decides between concurrent registrations.
  if (await store.findUserByEmail(key)) throw new AuthError('EMAIL_TAKEN');
  const passwordHash = await passwords.hash(password, network);
  const id = crypto.randomUUID();
  const user = await store.createUser({ id, email, emailKey: key, passwordHash, roles, createdAt: now() });
  if (user === undefined) throw new AuthError('EMAIL_TAKEN');
  return user;
}
