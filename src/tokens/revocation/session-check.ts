// Whether a verified token's session still stands: from memory, and from the store while changes are not heard.
import type { TokenProblem } from '../../errors.ts';
import type { SessionStatus } from '../../storage/store.ts';
import { withTimeout } from '../../utils/with-timeout.ts';
import type { Principal } from '../principal.ts';
import { hasRoles, type RevocationCache, ROLES_UNCERTAIN } from './revocation-cache.ts';

/** Why the token is not accepted, though it verifies; undefined where it is. Answers at once where it can. */
export type CheckSession = (
  principal: Principal,
) => TokenProblem | undefined | Promise<TokenProblem | undefined>;

export interface SessionCheckOptions {
  revocations: Pick<RevocationCache, 'findProblem'>;
  /** Up to when every change is known: milliseconds, as by `performance.now()`. */
  feedSyncedAt(): number;
  /** Asks the store; rejects where it does not answer. */
  findStatus(sessionId: string): Promise<SessionStatus | undefined>;
  /** How long verification goes on with neither. */
  maxStaleSeconds: number;
  /** Milliseconds; default `performance.now`. */
  clock?: () => number;
}

/** Older knowledge than this is not relied on while the store can be asked. */
export const FEED_STALE_AFTER_MS = 5_000;
/** How long a request waits for the store's answer. */
const STORE_TIMEOUT_MS = 250;
/** A store that has not answered is left alone for this long; nobody waits for it meanwhile. */
const STORE_RETRY_DELAY_MS = 1_000;

export function createSessionCheck(options: SessionCheckOptions): CheckSession {
  const { revocations, feedSyncedAt, maxStaleSeconds, clock = () => performance.now() } = options;
  const pending = new Map<string, Promise<SessionStatus | undefined>>();
  let lastStoreFailureAt = -Infinity;

  /** One question for all who wait for the same session. */
  function queryStatus(sessionId: string): Promise<SessionStatus | undefined> {
    const inFlight = pending.get(sessionId);
    if (inFlight !== undefined) return inFlight;
    const status = withTimeout(options.findStatus(sessionId), STORE_TIMEOUT_MS).finally(() =>
      pending.delete(sessionId),
    );
    pending.set(sessionId, status);
    return status;
  }

  /** What we cannot reach is reached by nobody who could have ended the session; but not for ever. */
  const isFeedTooOld = () => clock() - feedSyncedAt() > Math.max(maxStaleSeconds * 1000, FEED_STALE_AFTER_MS);

  async function checkInStore(principal: Principal): Promise<TokenProblem | undefined> {
    // Where there is no answer without the store, it is asked all the same.
    if (clock() - lastStoreFailureAt >= STORE_RETRY_DELAY_MS || isFeedTooOld()) {
      try {
        return checkStatus(await queryStatus(principal.sessionId), principal);
      } catch {
        lastStoreFailureAt = clock();
      }
    }
    // Something may have been heard meanwhile.
    const problem = revocations.findProblem(principal);
    if (problem !== undefined) return problem === ROLES_UNCERTAIN ? 'TOKEN_EXPIRED' : problem;
    return isFeedTooOld() ? 'REVOCATIONS_UNAVAILABLE' : undefined;
  }

  /**
   * The roles of a token that was issued about when they changed: the change after the last one known here may have come
   * before it. If the store cannot be read, the token has expired: its client may refresh it.
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
    if (problem === 'TOKEN_REVOKED') return problem; // a session never comes back; roles may have changed again
    if (!isFresh) return checkInStore(principal);
    return problem === ROLES_UNCERTAIN ? confirmRoles(principal) : problem;
  };
}

/** A session that is gone from the store ended long ago. */
function checkStatus(status: SessionStatus | undefined, principal: Principal): TokenProblem | undefined {
  if (status === undefined || status.revokedAt !== undefined) return 'TOKEN_REVOKED';
  return hasRoles(principal, status.roles) ? undefined : 'TOKEN_EXPIRED';
}
