// A session, and the rule for whether it is live.

/** One sign-in on one device. */
export interface Session {
  /** The `sid` of its access tokens. */
  id: string;
  /** The user who signed in. */
  userId: string;
  /** Counts rotations, from 1; the refresh token of this generation is the valid one. */
  generation: number;
  /** Time of the sign-in. */
  createdAt: Date;
  /** When the person last proved who they are. */
  authenticatedAt: Date;
  /** When tokens were last issued or refreshed. */
  lastUsedAt: Date;
  /** The absolute end. */
  expiresAt: Date;
  /** When it was revoked, if it was. */
  revokedAt: Date | undefined;
  /** The `User-Agent` header at sign-in. */
  userAgent: string | undefined;
  /** The network address at sign-in. */
  ipAddress: string | undefined;
}

/** Whether a session has neither ended nor expired, absolutely or by lying idle. */
export function isLive(session: Session, now: Date, idleSeconds: number): boolean {
  return session.revokedAt === undefined && now < effectiveExpiry(session, idleSeconds);
}

/** When a session ends if it is not used again. */
export function effectiveExpiry({ expiresAt, lastUsedAt }: Session, idleSeconds: number): Date {
  return new Date(Math.min(expiresAt.getTime(), lastUsedAt.getTime() + idleSeconds * 1000));
}
