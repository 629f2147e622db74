// Sign-in with email and password. An unknown email takes the same steps, and the same time, as a wrong password.
import { AuthError } from '../errors.ts';
import { isTooLong } from '../passwords/password-rules.ts';
import { toKnownNetwork, toLoginSpends, toNetworkSpends } from '../rate-limits/login-rate-limit.ts';
import { KNOWN_NETWORK_SECONDS, toClientNetwork } from '../rate-limits/network.ts';
import { normalizeEmail } from '../utils/email.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';
import { type IssuedTokens, startSession } from './sessions.ts';

/** See `Accounts.logIn`. */
export async function logIn(
  deps: AccountDeps,
  { email, password }: { email: string; password: string },
  client: ClientInfo,
): Promise<IssuedTokens> {
  const { store, passwords, limits, secrets, now } = deps;
  const key = normalizeEmail(email)?.key;
  if (key === undefined) throw new AuthError('INVALID_CREDENTIALS'); // no account can have this email
  if (isTooLong(password)) throw new AuthError('INVALID_CREDENTIALS'); // or this password

  const network = toClientNetwork(client);
  await limits.check(toNetworkSpends(secrets, 'login.network', network));
  const knownSince = new Date(now().getTime() - KNOWN_NETWORK_SECONDS * 1000);
  const found = await store.findCredentials(key, toKnownNetwork(secrets, network), knownSince);
  const attempt = await limits.spend(toLoginSpends(secrets, key, network, found?.isKnownNetwork ?? false));
  const matches = await passwords
    .verify(password, found?.passwordHash, network.network)
    .catch(async (error) => {
      await attempt.cancel(); // no guess was made: the password was not checked
      throw error;
    });
  if (!matches || found === undefined || found.user.disabledAt !== undefined) {
    throw new AuthError('INVALID_CREDENTIALS');
  }
  await attempt.succeed();

  const { user, passwordHash } = found;
  if (passwords.needsRehash(passwordHash)) {
    await upgradePasswordHash(deps, { userId: user.id, passwordHash, password, network: network.network });
  }
  return startSession(deps, user, client);
}

/** Replaces a hash that was made with other parameters. If the hashing queue is full, the next sign-in does it. */
async function upgradePasswordHash(
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
