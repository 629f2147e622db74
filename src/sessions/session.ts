// A session, and the rule that decides whether it is live.

/** One sign-in on one device. */
export interface Session {
  /** The `sid` claim of its access tokens. */
  id: string;
  /** Id of the user who signed in. */
  userId: string;
  /** Counts refresh tokens: 1 at login, one more after each rotation. Only the token of this generation can be rotated. */
  generation: number;
  /** Time of the login. */
  createdAt: Date;
  /** When the user last entered their password; `maxAge` in `@auth` counts from here. */
  authenticatedAt: Date;
  /** When tokens were last issued or refreshed. */
  lastUsedAt: Date;
  /** Absolute end of the session, however often it is refreshed. */
  expiresAt: Date;
  /** Undefined unless the session was revoked. */
  revokedAt: Date | undefined;
  /** `User-Agent` header of the request that started the session, for the user's session list. */
  userAgent: string | undefined;
  /** Client address of the request that started the session, for the user's session list. */
  ipAddress: string | undefined;
}

/** @returns true if the session is neither revoked nor expired, absolutely or by being idle for `idleSeconds` */
export function isLive(session: Session, now: Date, idleSeconds: number): boolean {
  return session.revokedAt === undefined && now < effectiveExpiry(session, idleSeconds);
}

/** @returns when the session expires if it is not used again: its absolute end, or `idleSeconds` after its last use */
export function effectiveExpiry({ expiresAt, lastUsedAt }: Session, idleSeconds: number): Date {
  return new Date(Math.min(expiresAt.getTime(), lastUsedAt.getTime() + idleSeconds * 1000));
}
