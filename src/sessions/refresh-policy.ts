// What a presented refresh token is worth, given the session as it stands.
import { isLive, type Session } from './session.ts';

export type RefreshDecision = 'ROTATE' | 'REPEAT' | 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN';

/**
 * How long after the first use of the successor the token before it is still answered: for requests that were under way
 * when another tab of the same client got the successor.
 */
const CONCURRENT_MS = 3_000;

/**
 * `ROTATE`: the newest token. `REPEAT`: one generation old and inside the grace, so its answer may have been lost; not
 * any more once its successor has been used, by a refresh or by an access token. `REUSED`: an old one, so there is a
 * copy of it (RFC 9700, section 4.14.2). `UNKNOWN`: of a generation not issued yet, as after the database was set back.
 */
export function decideRefresh(
  session: Session,
  { generation, now, graceSeconds, idleSeconds, successorUsedAt }: RotationRequest,
): RefreshDecision {
  if (session.revokedAt !== undefined) return 'REVOKED';
  if (!isLive(session, now, idleSeconds)) return 'EXPIRED';
  if (generation > session.generation) return 'UNKNOWN';
  if (generation === session.generation) return 'ROTATE';
  const sinceRotation = now.getTime() - session.lastUsedAt.getTime();
  const isUsed = now.getTime() > (successorUsedAt?.getTime() ?? Infinity) + CONCURRENT_MS;
  const repeats = generation === session.generation - 1 && sinceRotation <= graceSeconds * 1000 && !isUsed;
  return repeats ? 'REPEAT' : 'REUSED';
}

/** A presented refresh token, with the rules that decide about it. */
export interface RotationRequest {
  /** The session that the token belongs to. */
  sessionId: string;
  /** The generation of the refresh token presented. */
  generation: number;
  /** The time of the request. */
  now: Date;
  /** How long a token one generation old is still answered. */
  graceSeconds: number;
  /** How long a session lives unused. */
  idleSeconds: number;
  /**
   * When an access token of the generation after the presented one was first accepted, as far as this instance knows.
   * Its client has received its answer, so a refresh token that comes later is a copy.
   */
  successorUsedAt?: Date | undefined;
}
