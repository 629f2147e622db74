// Tells whoever follows of changes: the past first, then each as it is read. How they are read is the database's matter.
import type { Change } from '../store.ts';

export type ChangeListener = (change: Change) => void;

/** A time in which the database could not be reached. */
export interface Gap {
  from: Date;
  to: Date;
}

export interface ChangeFeed {
  follow(listener: ChangeListener, since: () => Date): Promise<void>;
  /** Tells of changes that this process has committed itself. */
  tell(changes: readonly Change[]): void;
  /** Reads soon: something has been committed. */
  wake(): void;
  /** Up to when every change has been told, by `performance.now()`. */
  toldAt(): number;
  /** When the database was last out of reach; undefined where it never was. */
  lastGap(): Gap | undefined;
  stop(): Promise<void>;
}

/** Those who follow, and from when on they need to know. */
export interface Followers {
  /** Returns what takes it away again. */
  add(listener: ChangeListener, since: () => Date): () => void;
  tell(changes: readonly Change[]): void;
  /** The earliest instant from which one of them needs to know. */
  since(): Date;
  readonly size: number;
}

export function createFollowers(): Followers {
  const followers = new Set<{ listener: ChangeListener; since: () => Date }>();
  return {
    add(listener, since) {
      const follower = { listener, since };
      followers.add(follower);
      return () => followers.delete(follower);
    },
    tell(changes) {
      for (const change of changes) for (const { listener } of followers) listener(change);
    },
    since: () => new Date(Math.min(...[...followers].map(({ since }) => since().getTime()))),
    get size() {
      return followers.size;
    },
  };
}

/** Does one task after another; of one that fails, who asked for it hears. */
export function createTurns(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  };
}
