// Signs in with email and password; an unknown email takes the same way, and time, as a wrong password.
import { AuthError } from '../errors.ts';
import { isTooLong } from '../passwords/check-password.ts';
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
  const attempt = loginTries.count({ emailKey: key, address: client.ipAddress });
  const found = await findMatching(deps, key, password).catch((error) => {
    attempt.withdraw();
    throw error;
  });
  if (found === undefined || found.user.disabledAt !== undefined) throw new AuthError('INVALID_CREDENTIALS');
  attempt.succeed();

  const { user, passwordHash } = found;
  if (passwords.needsRehash(passwordHash)) {
    await rehash(deps, user.id, passwordHash, password);
  }
  return startSession(deps, user, client);
}

/** The account of the email, where the password is its own. */
async function findMatching(
  { store, passwords }: AccountDeps,
  emailKey: string,
  password: string,
): Promise<UserCredentials | undefined> {
  const found = await store.findUserByEmail(emailKey);
  const matches = await passwords.verify(password, found?.passwordHash);
  return matches ? found : undefined;
}

/** Brings the hash up to date where there is room for it; where not, the next sign-in will. */
async function rehash(
  { store, passwords }: AccountDeps,
  userId: string,
  previousHash: string,
  password: string,
): Promise<void> {
  try {
    await store.updatePasswordHash(userId, previousHash, await passwords.hash(password));
  } catch (error) {
    if (!(error instanceof AuthError && error.reason === 'RATE_LIMITED')) throw error;
  }
}
