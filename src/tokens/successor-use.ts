// Which sessions have used the tokens of their last refresh: from then on the refresh token before is a copy.
import { LRUCache } from 'lru-cache';
import { readGeneration } from './access-token.ts';
import type { Principal } from './principal.ts';

export interface SuccessorUse {
  /** Records that an access token of the principal's session was accepted. */
  record(principal: Principal): void;
  /** When an access token of this generation was first accepted here; undefined if that is not known. */
  firstUsedAt(sessionId: string, generation: number): Date | undefined;
}

/** Sessions with a refresh in the last moments, about 200 bytes each. One that is dropped is only less protected. */
const MAX_SESSIONS = 10_000;

/**
 * In memory, by instance: a record in the database would double the writes of a refresh. A copy that comes to another
 * instance than the one its owner uses is found out at one of the next refreshes.
 */
export function createSuccessorUse(now: () => Date): SuccessorUse {
  const uses = new LRUCache<string, { generation: number; at: Date }>({ max: MAX_SESSIONS });
  return {
    record({ sessionId, claims }) {
      const generation = readGeneration(claims.jti);
      // The tokens of a sign-in are no one's successor.
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
