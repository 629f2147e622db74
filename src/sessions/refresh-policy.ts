// Decides what to do with a presented refresh token, given its session.
import { isLive, type Session } from './session.ts';

/** A presented refresh token, with the rules that decide on it. */
export interface RotationRequest {
  /** Id of the session that the token belongs to. */
  sessionId: string;
  /** Generation of the presented refresh token. */
  generation: number;
  /** Time of the request. */
  now: Date;
  /** Seconds after a rotation during which the previous token still gets the same response again. */
  graceSeconds: number;
  /** Seconds after its last use at which a session expires. */
  idleSeconds: number;
  /**
   * When this instance first accepted an access token of the next generation, if it did. Its use proves that the client
   * received the response to the refresh, so the presented token is a copy if it arrives later.
   */
  successorUsedAt?: Date | undefined;
}

/**
 * - `ROTATE`: the current token. Issue the next one.
 * - `REPEAT`: the previous token, within the grace period. The response may have been lost, so send it again. Not after
 *   the successor was used, be it by a refresh or by an access token.
 * - `REUSED`: an older token, so a copy of it exists. Revoke the session (RFC 9700, section 4.14.2).
 * - `UNKNOWN`: a generation that was not issued, for example after the database was restored from a backup.
 * - `EXPIRED`, `REVOKED`: the session is not live.
 */
export type RefreshDecision = 'ROTATE' | 'REPEAT' | 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN';

/** A period in which the database was not reachable. */
export interface Outage {
  /** Last time at which the database was known to be reachable. */
  from: Date;
  /** When it was reachable again. */
  to: Date;
}

/**
 * Milliseconds after the first use of the successor in which the previous token is still repeated: for requests that were
 * in flight when another tab of the same client received the successor.
 */
const CONCURRENT_MS = 3_000;

/** Milliseconds before an outage in which a rotation may have begun whose response was lost in it. */
const LOST_BEFORE_MS = 10_000;

/** Upper limit of the compensation. A longer outage signs affected clients out, and gives an attacker no more time. */
const MAX_COMPENSATION_SECONDS = 15 * 60;

/** @returns what to do with the token; see {@link RefreshDecision} */
export function decideRefresh(
  session: Session,
  { generation, now, graceSeconds, idleSeconds, successorUsedAt }: RotationRequest,
): RefreshDecision {
  if (session.revokedAt !== undefined) return 'REVOKED';
  if (!isLive(session, now, idleSeconds)) return 'EXPIRED';
  if (generation > session.generation) return 'UNKNOWN';
  if (generation === session.generation) return 'ROTATE';
  const sinceRotation = now.getTime() - session.lastUsedAt.getTime();
  const isSuccessorUsed = now.getTime() > (successorUsedAt?.getTime() ?? Infinity) + CONCURRENT_MS;
  const isRepeatable =
    generation === session.generation - 1 && sinceRotation <= graceSeconds * 1000 && !isSuccessorUsed;
  return isRepeatable ? 'REPEAT' : 'REUSED';
}

/**
 * @returns seconds to add to the grace period because the client could not retry during the outage; 0 if the response to
 *   the last rotation cannot have been lost in it
 */
export function outageCompensationSeconds({ lastUsedAt }: Session, outage: Outage | undefined): number {
  if (outage === undefined) return 0;
  const mayHaveLost =
    lastUsedAt.getTime() >= outage.from.getTime() - LOST_BEFORE_MS && lastUsedAt <= outage.to;
  const seconds = (outage.to.getTime() - lastUsedAt.getTime()) / 1000;
  return mayHaveLost && seconds <= MAX_COMPENSATION_SECONDS ? seconds : 0;
}
