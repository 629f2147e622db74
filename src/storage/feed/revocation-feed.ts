// Tells whoever follows of changes: the past first, then each as it is read. How they are read is the database's matter.
import type { FeedEvent } from '../store.ts';

export type ChangeListener = (change: FeedEvent) => void;

/** A time in which the database could not be reached. */
export interface Outage {
  from: Date;
  to: Date;
}

export interface RevocationFeed {
  subscribe(listener: ChangeListener, since: () => Date): Promise<void>;
  /** Tells of changes that this process has committed itself. */
  publish(changes: readonly FeedEvent[]): void;
  /** Reads soon: something has been committed. */
  poll(): void;
  /** Up to when every change has been told, by `performance.now()`. */
  syncedAt(): number;
  /** When the database was last out of reach; undefined where it never was. */
  lastOutage(): Outage | undefined;
  stop(): Promise<void>;
}

/** Those who follow, and from when on they need to know. */
export interface Subscribers {
  /** Returns what takes it away again. */
  add(listener: ChangeListener, since: () => Date): () => void;
  publish(changes: readonly FeedEvent[]): void;
  /** The earliest instant from which one of them needs to know. */
  since(): Date;
  readonly size: number;
}

export function createSubscribers(): Subscribers {
  const subscribers = new Set<{ listener: ChangeListener; since: () => Date }>();
  return {
    add(listener, since) {
      const subscriber = { listener, since };
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    publish(changes) {
      for (const change of changes) for (const { listener } of subscribers) listener(change);
    },
    since: () => new Date(Math.min(...[...subscribers].map(({ since }) => since().getTime()))),
    get size() {
      return subscribers.size;
    },
  };
}

/** Does one task after another; of one that fails, who asked for it hears. */
export function createSerialQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  };
}
