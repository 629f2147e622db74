// Which verified tokens are worth nothing any more: their session was revoked, or their user has other roles now.
import type { TokenProblem } from '../errors.ts';
import type { Change } from '../stores/store.ts';
import type { Principal } from './principal.ts';
import { createRecentChanges } from './recent-changes.ts';

export interface SessionChanges {
  /** Takes note of a change; of one that concerns no session, nothing. */
  apply(change: Change): void;
  /** Why the principal's token is not accepted any more; undefined where it is. */
  problemOf(principal: Principal): TokenProblem | undefined;
  /** Calls `ended` once, when the token becomes worthless, at once where it is; returns what stops the watch. */
  watch(principal: Principal, ended: (problem: TokenProblem) => void): () => void;
  /** Changes from before concern no token that is still valid. */
  since(): Date;
  readonly revokedSessions: number;
}

/** @param accessTtlSeconds the longest lifetime of an access token */
export function createSessionChanges(accessTtlSeconds: number, now: () => Date): SessionChanges {
  const revoked = createRecentChanges<true>(accessTtlSeconds, now);
  const roles = createRecentChanges<readonly string[]>(accessTtlSeconds, now);

  function problemOf(principal: Principal): TokenProblem | undefined {
    if (revoked.get(principal.sessionId)) return 'TOKEN_REVOKED';
    const current = roles.get(principal.userId);
    return current === undefined || hasRoles(principal, current) ? undefined : 'TOKEN_EXPIRED';
  }

  return {
    problemOf,
    apply(change) {
      if (change.kind === 'SESSION_REVOKED') revoked.set(change.sessionId, true);
      if (change.kind === 'ROLES_CHANGED') roles.set(change.userId, change.roles);
    },
    watch(principal, ended) {
      let stops: readonly (() => void)[] = [];
      let isOver = false;
      const stop = () => {
        isOver = true;
        for (const one of stops) one();
      };
      const look = () => {
        const problem = isOver ? undefined : problemOf(principal);
        if (problem === undefined) return;
        stop();
        ended(problem);
      };
      stops = [revoked.watch(principal.sessionId, look), roles.watch(principal.userId, look)];
      if (isOver) stop(); // it was over before there was anything to stop
      return stop;
    },
    since: revoked.since,
    get revokedSessions() {
      return revoked.size;
    },
  };
}

/** Whether the token has exactly these roles; one with others is as good as expired: the next has them. */
export function hasRoles({ roles }: Principal, current: readonly string[]): boolean {
  return roles.size === new Set(current).size && current.every((role) => roles.has(role));
}
