// Whether a verified token's session still stands: from memory, and from the store while changes are not heard.
import type { TokenProblem } from '../../errors.ts';
import type { SessionStanding } from '../../storage/store.ts';
import { inTime } from '../../utils/with-timeout.ts';
import type { Principal } from '../principal.ts';
import { hasRoles, ROLES_UNCERTAIN, type SessionChanges } from './revocation-cache.ts';

/** Why the token is not accepted, though it verifies; undefined where it is. Answers at once where it can. */
export type CheckSession = (
  principal: Principal,
) => TokenProblem | undefined | Promise<TokenProblem | undefined>;

export interface SessionCheckOptions {
  changes: Pick<SessionChanges, 'problemOf'>;
  /** Up to when every change is known: milliseconds, as by `performance.now()`. */
  changesKnownAt(): number;
  /** Asks the store; rejects where it does not answer. */
  findStanding(sessionId: string): Promise<SessionStanding | undefined>;
  /** How long verification goes on with neither. */
  maxStaleSeconds: number;
  /** Milliseconds; default `performance.now`. */
  clock?: () => number;
}

/** Older knowledge than this is not relied on while the store can be asked. */
export const CHANGES_STALE_AFTER_MS = 5_000;
/** How long a request waits for the store's answer. */
const ASK_WITHIN_MS = 250;
/** A store that has not answered is left alone for this long; nobody waits for it meanwhile. */
const ASK_AGAIN_AFTER_MS = 1_000;

export function createSessionCheck(options: SessionCheckOptions): CheckSession {
  const { changes, changesKnownAt, maxStaleSeconds, clock = () => performance.now() } = options;
  const asking = new Map<string, Promise<SessionStanding | undefined>>();
  let silentSince = -Infinity;

  /** One question for all who wait for the same session. */
  function ask(sessionId: string): Promise<SessionStanding | undefined> {
    const already = asking.get(sessionId);
    if (already !== undefined) return already;
    const answer = inTime(options.findStanding(sessionId), ASK_WITHIN_MS).finally(() =>
      asking.delete(sessionId),
    );
    asking.set(sessionId, answer);
    return answer;
  }

  /** What we cannot reach is reached by nobody who could have ended the session; but not for ever. */
  const isTooOld = () =>
    clock() - changesKnownAt() > Math.max(maxStaleSeconds * 1000, CHANGES_STALE_AFTER_MS);

  async function checkInStore(principal: Principal): Promise<TokenProblem | undefined> {
    // Where there is no answer without the store, it is asked all the same.
    if (clock() - silentSince >= ASK_AGAIN_AFTER_MS || isTooOld()) {
      try {
        return judge(await ask(principal.sessionId), principal);
      } catch {
        silentSince = clock();
      }
    }
    // Something may have been heard meanwhile.
    const problem = changes.problemOf(principal);
    if (problem !== undefined) return problem === ROLES_UNCERTAIN ? 'TOKEN_EXPIRED' : problem;
    return isTooOld() ? 'REVOCATIONS_UNAVAILABLE' : undefined;
  }

  /**
   * The roles of a token that was issued about when they changed: the change after the last one known here may have come
   * before it. If the store cannot be read, the token has expired: its client may refresh it.
   */
  async function confirmRoles(principal: Principal): Promise<TokenProblem | undefined> {
    if (clock() - silentSince < ASK_AGAIN_AFTER_MS) return 'TOKEN_EXPIRED';
    try {
      return judge(await ask(principal.sessionId), principal);
    } catch {
      silentSince = clock();
      return 'TOKEN_EXPIRED';
    }
  }

  return (principal) => {
    const problem = changes.problemOf(principal);
    const isFresh = clock() - changesKnownAt() <= CHANGES_STALE_AFTER_MS;
    if (problem === 'TOKEN_REVOKED') return problem; // a session never comes back; roles may have changed again
    if (!isFresh) return checkInStore(principal);
    return problem === ROLES_UNCERTAIN ? confirmRoles(principal) : problem;
  };
}

/** A session that is gone from the store ended long ago. */
function judge(standing: SessionStanding | undefined, principal: Principal): TokenProblem | undefined {
  if (standing === undefined || standing.revokedAt !== undefined) return 'TOKEN_REVOKED';
  return hasRoles(principal, standing.roles) ? undefined : 'TOKEN_EXPIRED';
}
