// Makes an account and signs it in.
import { AuthError } from '../errors.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { toNetworkSpends } from '../rate-limits/sign-in-limits.ts';
import type { AccountDeps, ClientInfo } from './accounts.ts';
import { createAccount, type NewAccount } from './create-account.ts';
import { type IssuedTokens, startSession } from './start-session.ts';

/**
 * Limited per network before the email is looked up: `EMAIL_TAKEN` says which emails have an account.
 *
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD` or `EMAIL_TAKEN`; `RATE_LIMITED`
 */
export async function register(
  deps: AccountDeps,
  account: NewAccount,
  client: ClientInfo,
): Promise<IssuedTokens> {
  const network = toClientNetwork(client);
  const attempt = await deps.limits.spend(toNetworkSpends(deps.secrets, 'register.network', network));
  const user = await createAccount(deps, account, network.network).catch(async (error) => {
    // Not if the hashing queue was full: that alone says that the email has no account.
    const isOutage = !(error instanceof AuthError) || error.reason === 'STORE_UNAVAILABLE';
    if (isOutage) await attempt.cancel();
    throw error;
  });
  await attempt.succeed();
  return startSession(deps, user, client);
}
