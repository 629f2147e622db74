// Checks that the session of a verified token is live: in memory, or in the store while the revocation feed is down.
import type { TokenProblem } from '../../errors.ts';
import type { SessionStatus } from '../../storage/store.ts';
import { withTimeout } from '../../utils/with-timeout.ts';
import type { Principal } from '../principal.ts';
import { hasRoles, type RevocationCache, ROLES_UNCERTAIN } from './revocation-cache.ts';

/** @returns the reason why a verified token is not accepted, undefined if it is; a promise only if the store is queried */
export type CheckSession = (
  principal: Principal,
) => TokenProblem | undefined | Promise<TokenProblem | undefined>;

export interface SessionCheckOptions {
  revocations: Pick<RevocationCache, 'findProblem'>;
  /** @returns the time up to which every event was received, in milliseconds of `performance.now()` */
  feedSyncedAt(): number;
  /** Queries the store. Rejects if the database cannot be reached. */
  findStatus(sessionId: string): Promise<SessionStatus | undefined>;
  /** Seconds to accept tokens while neither feed nor store can be read. */
  maxStaleSeconds: number;
  /** Milliseconds. @default performance.now */
  clock?: () => number;
}

/** Age of the last sync from which the store is queried instead of the cache. */
export const FEED_STALE_AFTER_MS = 5_000;
/** Maximum time that a request waits for the store. */
const STORE_TIMEOUT_MS = 250;
/** Pause after a failed query. Requests do not wait for the store in this time. */
const STORE_RETRY_DELAY_MS = 1_000;

export function createSessionCheck(options: SessionCheckOptions): CheckSession {
  const { revocations, feedSyncedAt, maxStaleSeconds, clock = () => performance.now() } = options;
  const pending = new Map<string, Promise<SessionStatus | undefined>>();
  let lastStoreFailureAt = -Infinity;

  /** Concurrent callers share one query for a session. */
  function queryStatus(sessionId: string): Promise<SessionStatus | undefined> {
    const inFlight = pending.get(sessionId);
    if (inFlight !== undefined) return inFlight;
    const status = withTimeout(options.findStatus(sessionId), STORE_TIMEOUT_MS).finally(() =>
      pending.delete(sessionId),
    );
    pending.set(sessionId, status);
    return status;
  }

  /**
   * Fails open: an instance that cannot reach the database assumes that no revocation happened. After maxStaleSeconds it fails closed
   * with REVOCATIONS_UNAVAILABLE.
   */
  const isFeedTooOld = () => clock() - feedSyncedAt() > Math.max(maxStaleSeconds * 1000, FEED_STALE_AFTER_MS);

  async function checkInStore(principal: Principal): Promise<TokenProblem | undefined> {
    // If the feed is too old to decide without the store, it is queried even during the pause.
    if (clock() - lastStoreFailureAt >= STORE_RETRY_DELAY_MS || isFeedTooOld()) {
      try {
        return checkStatus(await queryStatus(principal.sessionId), principal);
      } catch {
        lastStoreFailureAt = clock();
      }
    }
    // The feed may have delivered an event in the meantime.
    const problem = revocations.findProblem(principal);
    if (problem !== undefined) return problem === ROLES_UNCERTAIN ? 'TOKEN_EXPIRED' : problem;
    return isFeedTooOld() ? 'REVOCATIONS_UNAVAILABLE' : undefined;
  }

  /**
   * Decides about the roles of a token that was issued at about the time when they changed: a later change, which this instance has not
   * received yet, may have come before the token. If the store cannot be read, the token counts as expired: its client can refresh it.
   */
  async function confirmRoles(principal: Principal): Promise<TokenProblem | undefined> {
    if (clock() - lastStoreFailureAt < STORE_RETRY_DELAY_MS) return 'TOKEN_EXPIRED';
    try {
      return checkStatus(await queryStatus(principal.sessionId), principal);
    } catch {
      lastStoreFailureAt = clock();
      return 'TOKEN_EXPIRED';
    }
  }

  return (principal) => {
    const problem = revocations.findProblem(principal);
    const isFresh = clock() - feedSyncedAt() <= FEED_STALE_AFTER_MS;
    if (problem === 'TOKEN_REVOKED') return problem; // final: a session cannot be restored, while roles may have changed again
    if (!isFresh) return checkInStore(principal);
    return problem === ROLES_UNCERTAIN ? confirmRoles(principal) : problem;
  };
}

/** A session that the store does not contain ended long ago. */
function checkStatus(status: SessionStatus | undefined, principal: Principal): TokenProblem | undefined {
  if (status === undefined || status.revokedAt !== undefined) return 'TOKEN_REVOKED';
  return hasRoles(principal, status.roles) ? undefined : 'TOKEN_EXPIRED';
}
