// Opens a session for somebody who has just proved who they are, and issues its tokens.
import { AuthError } from '../errors.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { toKnownNetwork } from '../rate-limits/sign-in-limits.ts';
import type { Session, User } from '../storage/store.ts';
import type { AccountDeps, ClientInfo } from './accounts.ts';
import { type IssuedTokens, issueTokens } from './issue-tokens.ts';

export type { IssuedTokens } from './issue-tokens.ts';

const MAX_USER_AGENT_LENGTH = 512;

/** @throws AuthError `INVALID_CREDENTIALS` where the account was disabled in this moment */
export async function startSession(deps: AccountDeps, user: User, client: ClientInfo): Promise<IssuedTokens> {
  const now = deps.now();
  const network = toKnownNetwork(deps.secrets, toClientNetwork(client));
  const session: Session = {
    id: crypto.randomUUID(),
    userId: user.id,
    generation: 1,
    createdAt: now,
    authenticatedAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + deps.config.sessionTtlSeconds * 1000),
    revokedAt: undefined,
    userAgent: client.userAgent?.slice(0, MAX_USER_AGENT_LENGTH),
    ipAddress: client.ipAddress,
  };
  if (!(await deps.store.createSession(session, network))) throw new AuthError('INVALID_CREDENTIALS');
  return issueTokens(deps, user, session);
}
