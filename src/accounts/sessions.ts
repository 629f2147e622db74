// Sessions of a user: start, refresh, list, revoke.
import { AuthError } from '../errors.ts';
import { toKnownNetwork } from '../rate-limits/login-rate-limit.ts';
import { toClientNetwork } from '../rate-limits/network.ts';
import { effectiveExpiry, type Session } from '../sessions/session.ts';
import type { User } from '../storage/store.ts';
import { signAccessToken } from '../tokens/access-token.ts';
import type { Principal } from '../tokens/principal.ts';
import { createRefreshToken, parseRefreshToken } from '../tokens/refresh-token.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';

/** Tokens of a session, issued at sign-in and refresh (RFC 6749, section 5.1). */
export interface IssuedTokens {
  /** JWT for `Authorization: Bearer` (RFC 9068). */
  accessToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  /** Opaque; valid once, except for repeats within `refreshGraceSeconds`. */
  refreshToken: string;
  /** The user as stored now; the access token has these roles. */
  user: User;
}

const MAX_USER_AGENT_LENGTH = 512;

/**
 * Starts a session for a user who has just authenticated, and issues its tokens.
 *
 * @throws AuthError `INVALID_CREDENTIALS` if the account has been disabled since the password was verified
 */
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

/** See `Accounts.refresh`. */
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

/** See `Accounts.logOut`. */
export async function logOut(
  { store, secrets, config, now }: AccountDeps,
  {
    refreshToken,
    principal,
  }: { refreshToken?: string | undefined; principal?: Principal | null | undefined },
): Promise<boolean> {
  const sessionId =
    refreshToken === undefined ? principal?.sessionId : parseRefreshToken(refreshToken, secrets)?.sessionId;
  if (sessionId === undefined) return false;
  return store.revokeSession({ sessionId }, now(), config.sessionIdleSeconds);
}

/** See `Accounts.revokeSession`. */
export function revokeSession(
  { store, config, now }: AccountDeps,
  id: { userId: string; sessionId: string },
): Promise<boolean> {
  return store.revokeSession(id, now(), config.sessionIdleSeconds);
}

/** See `Accounts.revokeAllSessions`. */
export function revokeAllSessions({ store, config, now }: AccountDeps, userId: string): Promise<number> {
  return store.revokeAllSessions(userId, now(), config.sessionIdleSeconds);
}

/** See `Accounts.listSessions`. */
export async function listSessions({ store, config, now }: AccountDeps, userId: string): Promise<Session[]> {
  const sessions = await store.listLiveSessions(userId, now(), config.sessionIdleSeconds);
  return sessions.map((session) => ({
    ...session,
    expiresAt: effectiveExpiry(session, config.sessionIdleSeconds),
  }));
}

async function issueTokens(deps: AccountDeps, user: User, session: Session): Promise<IssuedTokens> {
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
