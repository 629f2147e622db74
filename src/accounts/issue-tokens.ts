// The tokens of a session as it stands.
import type { Session, User } from '../storage/store.ts';
import { signAccessToken } from '../tokens/access-token.ts';
import { makeRefreshToken } from '../tokens/refresh-token.ts';
import type { AccountDeps } from './accounts.ts';

/** What a sign-in or a refresh gives (RFC 6749, section 5.1). */
export interface IssuedTokens {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  refreshToken: string;
  user: User;
}

export async function issueTokens(deps: AccountDeps, user: User, session: Session): Promise<IssuedTokens> {
  const { config, keyring, secrets, now } = deps;
  const { id: sessionId, generation, authenticatedAt } = session;
  const subject = { userId: user.id, sessionId, generation, roles: user.roles, authenticatedAt };
  return {
    accessToken: await signAccessToken(subject, keyring, config, now()),
    expiresIn: config.accessTtlSeconds,
    refreshToken: makeRefreshToken({ sessionId, generation }, secrets),
    user,
  };
}
