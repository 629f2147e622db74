// The live sessions of an account, for its owner.

import { AuthError } from '../errors.ts';
import { toKnownNetwork } from '../rate-limits/login-rate-limit.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { effectiveExpiry, type Session } from '../sessions/session.ts';
import type { User } from '../storage/store.ts';
import { signAccessToken } from '../tokens/access-token.ts';
import type { Principal } from '../tokens/principal.ts';
import { createRefreshToken, parseRefreshToken } from '../tokens/refresh-token.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';

/** @returns the most recently used first; `expiresAt` is when each ends if it is not used again */
export async function listSessions({ store, config, now }: AccountDeps, userId: string): Promise<Session[]> {
  const sessions = await store.listLiveSessions(userId, now(), config.sessionIdleSeconds);
  return sessions.map((session) => ({
    ...session,
    expiresAt: effectiveExpiry(session, config.sessionIdleSeconds),
  }));
}

// Trades a refresh token for the session's next tokens.

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

// Ends the session that a refresh token or an access token belongs to.

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

// Ends one session of an account.

/** @returns false where the account has no such live session; another account's is left alone */
export function revokeSession(
  { store, config, now }: AccountDeps,
  id: { userId: string; sessionId: string },
): Promise<boolean> {
  return store.revokeSession(id, now(), config.sessionIdleSeconds);
}

// Ends every session of an account.

/** @returns how many live sessions ended */
export function revokeAllSessions({ store, config, now }: AccountDeps, userId: string): Promise<number> {
  return store.revokeAllSessions(userId, now(), config.sessionIdleSeconds);
}

// Opens a session for somebody who has just proved who they are, and issues its tokens.

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

// The tokens of a session as it stands.

/** What a sign-in or a refresh gives (RFC 6749, section 5.1). */
export interface IssuedTokens {
  /** A JWT (RFC 9068). */
  accessToken: string;
  /** Lifetime of the access token in seconds. */
  expiresIn: number;
  /** Opaque; valid until it is used. */
  refreshToken: string;
  /** The user who signed in. */
  user: User;
}

export async function issueTokens(deps: AccountDeps, user: User, session: Session): Promise<IssuedTokens> {
  const { config, keyring, secrets, now } = deps;
  const { id: sessionId, generation, authenticatedAt } = session;
  const subject = { userId: user.id, sessionId, generation, roles: user.roles, authenticatedAt };
  return {
    accessToken: await signAccessToken(subject, keyring, config, now()),
    expiresIn: config.accessTtlSeconds,
    refreshToken: createRefreshToken({ sessionId, generation }, secrets),
    user,
  };
}
