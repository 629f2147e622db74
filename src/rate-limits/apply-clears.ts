// Clears the rate limits of this process when a command or another instance has cleared those of an account.
import { LRUCache } from 'lru-cache';
import type { FeedEvent } from '../storage/store.ts';
import type { RateLimits } from './rate-limits.ts';

/** Age of the oldest event that the feed may deliver again after an interruption. */
export const REPLAYED_CLEARS_MS = 10 * 60 * 1000;
const MAX_SEEN_CLEARS = 10_000;

/** @returns a subscriber of the feed, which applies each event once */
export function createClearListener(limits: Pick<RateLimits, 'clear'>): (event: FeedEvent) => void {
  const applied = new LRUCache<string, true>({ max: MAX_SEEN_CLEARS });
  return (event) => {
    if (event.kind !== 'LIMITS_CLEARED') return;
    const id = `${event.subject} ${event.clearedAt.getTime()}`;
    if (applied.has(id)) return;
    applied.set(id, true);
    void limits.clear(event.subject);
  };
}
