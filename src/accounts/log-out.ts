// Ends the session that a refresh token or an access token belongs to.
import type { Principal } from '../tokens/principal.ts';
import { parseRefreshToken } from '../tokens/refresh-token.ts';
import type { AccountDeps } from './accounts.ts';

/**
 * The refresh token names the session where one is given, the caller's access token otherwise.
 * @returns whether a live session ended; a token that is unknown or spent is no error (RFC 7009, section 2.2)
 */
export async function logOut(
  { store, secrets, config, now }: AccountDeps,
  { refreshToken, principal }: { refreshToken: string | undefined; principal: Principal | null },
): Promise<boolean> {
  const sessionId =
    refreshToken === undefined ? principal?.sessionId : parseRefreshToken(refreshToken, secrets)?.sessionId;
  if (sessionId === undefined) return false;
  return store.revokeSession({ sessionId }, now(), config.sessionIdleSeconds);
}
