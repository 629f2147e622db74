// Signs in with email and password; an unknown email takes the same way, and time, as a wrong password.
import { AuthError } from '../errors.ts';
import type { AccountDeps, ClientInfo } from './accounts.ts';
import { normalizeEmail } from './email.ts';
import { type IssuedTokens, startSession } from './start-session.ts';

/** @throws AuthError `INVALID_CREDENTIALS`; `RATE_LIMITED` after too many failures or in a rush of sign-ins */
export async function logIn(
  deps: AccountDeps,
  { email, password }: { email: string; password: string },
  client: ClientInfo,
): Promise<IssuedTokens> {
  const { store, passwords, loginTries } = deps;
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_CREDENTIALS'); // nobody can have registered it

  await loginTries.count(key);
  const found = await store.findUserByEmail(key);
  const matches = await passwords.verify(password, found?.passwordHash);
  if (found === undefined || !matches || found.user.disabledAt !== undefined) {
    throw new AuthError('INVALID_CREDENTIALS');
  }
  await loginTries.succeed(key);

  const { user, passwordHash } = found;
  if (passwords.needsRehash(passwordHash)) {
    await store.updatePasswordHash(user.id, passwordHash, await passwords.hash(password));
  }
  return startSession(deps, user, client);
}
