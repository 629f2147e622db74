// A clock that stands still until a test moves it.

/** The time that the guard and the app's policies go by. */
export interface TestClock {
  /** Can be set, to any time. */
  now: Date;
  /** @param seconds less than 0 moves it back */
  advance(seconds: number): void;
}

/** A clock that others can follow. */
export interface ObservableClock extends TestClock {
  /** Calls `moved` whenever the time has changed; returns what stops that. */
  watch(moved: () => void): () => void;
}

/** Starts at the present, in whole seconds as tokens count time, so that a `maxAge` is over to the second. */
export function createClock(): ObservableClock {
  let time = Math.floor(Date.now() / 1000) * 1000;
  const watchers = new Set<() => void>();
  function moveTo(moved: number): void {
    if (!Number.isFinite(moved))
      throw new TypeError('clock: is moved by a number of seconds, or set to a Date');
    time = moved;
    for (const notify of [...watchers]) notify();
  }
  return {
    get now() {
      return new Date(time);
    },
    set now(date) {
      moveTo(date.getTime());
    },
    advance: (seconds) => moveTo(time + seconds * 1000),
    watch(moved) {
      watchers.add(moved);
      return () => void watchers.delete(moved);
    },
  };
}
