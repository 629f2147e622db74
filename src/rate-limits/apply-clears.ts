// Applies to this process's limits what a command or another instance has cleared.
import { LRUCache } from 'lru-cache';
import type { FeedEvent } from '../storage/store.ts';
import type { RateLimits } from './rate-limits.ts';

/** Clears of the last minutes are read again after an interruption; each is applied once. */
export const REPLAYED_CLEARS_MS = 10 * 60 * 1000;
const MAX_SEEN_CLEARS = 10_000;

/** @returns a listener of changes */
export function createClearListener(limits: Pick<RateLimits, 'clear'>): (change: FeedEvent) => void {
  const applied = new LRUCache<string, true>({ max: MAX_SEEN_CLEARS });
  return (change) => {
    if (change.kind !== 'LIMITS_CLEARED') return;
    const id = `${change.subject} ${change.clearedAt.getTime()}`;
    if (applied.has(id)) return;
    applied.set(id, true);
    void limits.clear(change.subject);
  };
}
