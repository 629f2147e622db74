// Trades a refresh token for the session's next tokens.
import { AuthError } from '../errors.ts';
import { parseRefreshToken } from '../tokens/refresh-token.ts';
import type { AccountDeps } from './accounts.ts';
import { type IssuedTokens, issueTokens } from './issue-tokens.ts';

/**
 * @throws AuthError `INVALID_REFRESH_TOKEN`, reason `UNKNOWN`, `EXPIRED`, `REVOKED`, or `REUSED`, which has ended the
 *   session (RFC 9700, section 4.14.2)
 */
export async function refresh(deps: AccountDeps, refreshToken: string): Promise<IssuedTokens> {
  const { store, secrets, config, now } = deps;
  const parts = parseRefreshToken(refreshToken, secrets);
  if (parts === undefined) throw new AuthError('UNKNOWN');
  const rotation = await store.rotateSession({
    ...parts,
    now: now(),
    graceSeconds: config.refreshGraceSeconds,
    idleSeconds: config.sessionIdleSeconds,
    successorUsedAt: deps.successorUse?.firstUsedAt(parts.sessionId, parts.generation + 1),
  });
  const { outcome } = rotation;
  if (outcome === 'REPEATED' || outcome === 'REUSED') deps.onRepeatedRefresh?.(outcome, parts.sessionId);
  if (outcome === 'ROTATED' || outcome === 'REPEATED') {
    return issueTokens(deps, rotation.user, rotation.session);
  }
  throw new AuthError(outcome);
}
