// Recent revocations and role changes, in memory: finds verified tokens that are no longer accepted.
import type { TokenProblem } from '../../errors.ts';
import type { FeedEvent } from '../../storage/store.ts';
import { handleMaybePromise, type MaybePromise } from '../../utils/maybe-promise.ts';
import type { Principal } from '../principal.ts';
import { createExpiringMap, MAX_CLOCK_DIFFERENCE_SECONDS } from './expiring-map.ts';

/** Result of {@link RevocationCache.findProblem} if only the store can decide. */
export const ROLES_UNCERTAIN = 'ROLES_UNCERTAIN';

export interface RevocationCache {
  /** Adds a revocation or a change of roles; ignores other events. */
  apply(event: FeedEvent): void;
  /**
   * Finds the reason why the principal's token is no longer accepted.
   *
   * @returns undefined if it is accepted; `ROLES_UNCERTAIN` if its roles differ from the last change in the cache, but the token may
   *   be newer than that change
   */
  findProblem(principal: Principal): TokenProblem | typeof ROLES_UNCERTAIN | undefined;
  /**
   * Calls `onEnd` once, as soon as the token is no longer accepted, which may be immediately.
   *
   * @param confirm decides if the roles are uncertain. @default the token counts as expired
   * @returns a function that stops the watch
   */
  watch(
    principal: Principal,
    onEnd: (problem: TokenProblem) => void,
    confirm?: (principal: Principal) => MaybePromise<TokenProblem | undefined>,
  ): () => void;
  /** @returns the earliest time whose events matter: every token from before has expired */
  replayFrom(): Date;
  /** Number of revoked sessions in the cache. */
  readonly revokedSessions: number;
}

/** @param accessTtlSeconds maximum lifetime of an access token */
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
      if (hasEnded) stop(); // ended before `stops` was set
      return stop;
    },
    replayFrom: revoked.replayFrom,
    get revokedSessions() {
      return revoked.size;
    },
  };
}

/** @returns whether the token is older than `time` by more than clocks may differ; a token without `iat` counts as older */
function isCertainlyBefore({ claims: { iat = 0 } }: Principal, time: Date): boolean {
  return (iat + MAX_CLOCK_DIFFERENCE_SECONDS) * 1000 < time.getTime();
}

/** @returns whether the token has exactly these roles. One with other roles counts as expired: the next token has the current roles. */
export function hasRoles({ roles }: Principal, current: readonly string[]): boolean {
  return roles.size === new Set(current).size && current.every((role) => roles.has(role));
}
