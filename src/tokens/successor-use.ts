// Records which sessions have used an access token of their last refresh. From then on, only an attacker presents the previous
// refresh token: the client has received its successor.
import { LRUCache } from 'lru-cache';
import { readGeneration } from './access-token.ts';
import type { Principal } from './principal.ts';

export interface SuccessorUse {
  /** Records that an access token of the principal's session was accepted. */
  record(principal: Principal): void;
  /** @returns the time when this instance first accepted an access token of the generation; undefined if it has not, or evicted the entry */
  firstUsedAt(sessionId: string, generation: number): Date | undefined;
}

/** Entries, about 200 bytes each. An evicted session still has the protection of the grace period. */
const MAX_SESSIONS = 10_000;

/**
 * Kept in the memory of one instance: a record in the database would double the writes of a refresh. If client and attacker use
 * different instances, the stolen token is detected at one of the next refreshes.
 */
export function createSuccessorUse(now: () => Date): SuccessorUse {
  const uses = new LRUCache<string, { generation: number; at: Date }>({ max: MAX_SESSIONS });
  return {
    record({ sessionId, claims }) {
      const generation = readGeneration(claims.jti);
      // Generation 1 comes from a sign-in, and succeeds no refresh token.
      if (generation === undefined || generation < 2) return;
      if ((uses.peek(sessionId)?.generation ?? 0) < generation)
        uses.set(sessionId, { generation, at: now() });
    },
    firstUsedAt(sessionId, generation) {
      const use = uses.peek(sessionId);
      return use?.generation === generation ? use.at : undefined;
    },
  };
}
