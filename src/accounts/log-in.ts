// Signs in with email and password; an unknown email takes the same way, and time, as a wrong password.
import { AuthError } from '../errors.ts';
import { isTooLong } from '../passwords/check-password.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import type { UserCredentials } from '../stores/store.ts';
import type { AccountDeps, ClientInfo } from './accounts.ts';
import { normalizeEmail } from './email.ts';
import { type IssuedTokens, startSession } from './start-session.ts';

/** @throws AuthError `INVALID_CREDENTIALS`; `RATE_LIMITED` after too many failures or in a rush of sign-ins */
export async function logIn(
  deps: AccountDeps,
  { email, password }: { email: string; password: string },
  client: ClientInfo,
): Promise<IssuedTokens> {
  const { passwords, loginTries } = deps;
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_CREDENTIALS'); // nobody can have registered it

  if (isTooLong(password)) throw new AuthError('INVALID_CREDENTIALS'); // nor this password
  const { network } = toClientNetwork(client.ipAddress, client.isShared);
  const attempt = loginTries.count({ emailKey: key, address: client.ipAddress });
  const found = await findMatching(deps, key, password, network).catch((error) => {
    attempt.withdraw();
    throw error;
  });
  if (found === undefined || found.user.disabledAt !== undefined) throw new AuthError('INVALID_CREDENTIALS');
  attempt.succeed();

  const { user, passwordHash } = found;
  if (passwords.needsRehash(passwordHash)) {
    await rehash(deps, { userId: user.id, passwordHash, password, network });
  }
  return startSession(deps, user, client);
}

/** The account of the email, where the password is its own. */
async function findMatching(
  { store, passwords }: AccountDeps,
  emailKey: string,
  password: string,
  network: string,
): Promise<UserCredentials | undefined> {
  const found = await store.findUserByEmail(emailKey);
  const matches = await passwords.verify(password, found?.passwordHash, network);
  return matches ? found : undefined;
}

/** Replaces a hash made with other parameters. If the hashing queue is full, the next sign-in does it. */
async function rehash(
  { store, passwords }: AccountDeps,
  {
    userId,
    passwordHash,
    password,
    network,
  }: Record<'userId' | 'passwordHash' | 'password' | 'network', string>,
): Promise<void> {
  try {
    await store.updatePasswordHash(userId, passwordHash, await passwords.hash(password, network));
  } catch (error) {
    if (!(error instanceof AuthError && error.reason === 'RATE_LIMITED')) throw error;
  }
}
