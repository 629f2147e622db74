// Which verified tokens are worth nothing any more: their session was revoked, or their user has other roles now.

import type { TokenProblem } from '../../errors.ts';
import type { FeedEvent } from '../../storage/store.ts';
import { handleMaybePromise, type MaybePromise } from '../../utils/maybe-promise.ts';
import type { Principal } from '../principal.ts';
import { createExpiringMap, MAX_CLOCK_DIFFERENCE_SECONDS } from './expiring-map.ts';

/** Not a problem of the token: it is to be looked up. */
export const ROLES_UNCERTAIN = 'ROLES_UNCERTAIN';

export interface RevocationCache {
  /** Takes note of a change; of one that concerns no session, nothing. */
  apply(event: FeedEvent): void;
  /**
   * Why the principal's token is no longer accepted; undefined if it is. `ROLES_UNCERTAIN`: it has other roles than the
   * last change that is known here, but may be newer than that change, so only the store can tell.
   */
  findProblem(principal: Principal): TokenProblem | typeof ROLES_UNCERTAIN | undefined;
  /**
   * Calls `ended` once, when the token is no longer accepted, at once if it is not now; returns what stops the watch.
   * @param confirm decides if the roles are uncertain; by default the token has expired
   */
  watch(
    principal: Principal,
    onEnd: (problem: TokenProblem) => void,
    confirm?: (principal: Principal) => MaybePromise<TokenProblem | undefined>,
  ): () => void;
  /** Changes from before concern no token that is still valid. */
  replayFrom(): Date;
  readonly revokedSessions: number;
}

/** @param accessTtlSeconds the longest lifetime of an access token */
export function createRevocationCache(accessTtlSeconds: number, now: () => Date): RevocationCache {
  const revoked = createExpiringMap<true>(accessTtlSeconds, now);
  const changedRoles = createExpiringMap<{ roles: readonly string[]; changedAt: Date }>(
    accessTtlSeconds,
    now,
  );

  function findProblem(principal: Principal): TokenProblem | typeof ROLES_UNCERTAIN | undefined {
    if (revoked.get(principal.sessionId)) return 'TOKEN_REVOKED';
    const last = changedRoles.get(principal.userId);
    if (last === undefined || hasRoles(principal, last.roles)) return undefined;
    return isCertainlyBefore(principal, last.changedAt) ? 'TOKEN_EXPIRED' : ROLES_UNCERTAIN;
  }

  return {
    findProblem,
    apply(event) {
      if (event.kind === 'SESSION_REVOKED') revoked.set(event.sessionId, true);
      if (event.kind === 'ROLES_CHANGED') changedRoles.set(event.userId, event);
    },
    watch(principal, onEnd, confirm = () => 'TOKEN_EXPIRED') {
      let stops: readonly (() => void)[] = [];
      let hasEnded = false;
      const stop = () => {
        hasEnded = true;
        for (const one of stops) one();
      };
      const end = (problem: TokenProblem | undefined) => {
        if (hasEnded || problem === undefined) return;
        stop();
        onEnd(problem);
      };
      const check = () => {
        if (hasEnded) return;
        const problem = findProblem(principal);
        if (problem === ROLES_UNCERTAIN) handleMaybePromise(confirm(principal), end);
        else end(problem);
      };
      stops = [revoked.watch(principal.sessionId, check), changedRoles.watch(principal.userId, check)];
      if (hasEnded) stop(); // it was over before there was anything to stop
      return stop;
    },
    replayFrom: revoked.replayFrom,
    get revokedSessions() {
      return revoked.size;
    },
  };
}

/** By more than clocks may differ. Without `iat` a token counts as old. */
function isCertainlyBefore({ claims: { iat = 0 } }: Principal, time: Date): boolean {
  return (iat + MAX_CLOCK_DIFFERENCE_SECONDS) * 1000 < time.getTime();
}

/** Whether the token has exactly these roles; one with others is as good as expired: the next has them. */
export function hasRoles({ roles }: Principal, current: readonly string[]): boolean {
  return roles.size === new Set(current).size && current.every((role) => roles.has(role));
}
