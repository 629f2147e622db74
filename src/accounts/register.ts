// Makes an account and signs it in.

import { toClientNetwork } from '../rate-limits/network.ts';
import type { AccountDeps, ClientInfo } from './accounts.ts';
import { createAccount, type NewAccount } from './create-account.ts';
import { type IssuedTokens, startSession } from './start-session.ts';

/**
 * @throws AuthError `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD` or `EMAIL_TAKEN`; `RATE_LIMITED`
 */
export async function register(
  deps: AccountDeps,
  account: NewAccount,
  client: ClientInfo,
): Promise<IssuedTokens> {
  const { network } = toClientNetwork(client.ipAddress, client.isShared);
  return startSession(deps, await createAccount(deps, account, network), client);
}
