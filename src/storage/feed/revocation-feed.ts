// Interface of the revocation feed, and its list of subscribers. sqlite/feed.ts and postgres/feed.ts implement it.
import type { Outage } from '../../sessions/refresh-policy.ts';
import type { FeedEvent } from '../store.ts';

export type FeedListener = (event: FeedEvent) => void;

/** Publishes feed events to subscribers: first a replay, then live. */
export interface RevocationFeed {
  /** As `Store.subscribe`. */
  subscribe(listener: FeedListener, since: () => Date): Promise<void>;
  /** Publishes events that this process has committed, without waiting until the feed reads them from the database. */
  publish(events: readonly FeedEvent[]): void;
  /** Makes the feed read new events at once instead of at the next interval. */
  poll(): void;
  /** As `Store.feedSyncedAt`. */
  syncedAt(): number;
  /** @returns the most recent outage; undefined if there was none */
  lastOutage(): Outage | undefined;
  /** Stops reading, and resolves when the last read has ended. */
  stop(): Promise<void>;
}

/** The listeners of one feed. */
export interface Subscribers {
  /**
   * @param since the earliest time from which the listener needs events; called before each replay
   * @returns a function that removes the listener
   */
  add(listener: FeedListener, since: () => Date): () => void;
  publish(events: readonly FeedEvent[]): void;
  /** @returns the earliest time from which a subscriber needs events */
  since(): Date;
  readonly size: number;
}

export function createSubscribers(): Subscribers {
  const subscribers = new Set<{ listener: FeedListener; since: () => Date }>();
  return {
    add(listener, since) {
      const subscriber = { listener, since };
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    publish(events) {
      for (const event of events) for (const { listener } of subscribers) listener(event);
    },
    since: () => new Date(Math.min(...[...subscribers].map(({ since }) => since().getTime()))),
    get size() {
      return subscribers.size;
    },
  };
}
