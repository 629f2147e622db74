// A clock that stops until a test moves it.

/** Time for the guard, such as for `maxAge` and the expiry of tokens. */
export interface TestClock {
  /** Current time; assign a `Date` to move it. */
  now: Date;
  /**
   * Moves the clock.
   * @param seconds negative: back
   * @throws TypeError if `seconds` is not a finite number
   * @example kit.clock.advance(301)
   */
  advance(seconds: number): void;
}

/** A clock with change events. */
export interface ObservableClock extends TestClock {
  /** Calls `onMove` after each change of the time; returns a function that removes the listener. */
  watch(onMove: () => void): () => void;
}

/** Creates a clock at the current time in whole seconds, the unit of tokens, so that `maxAge` ends exactly on a second. */
export function createClock(): ObservableClock {
  let time = Math.floor(Date.now() / 1000) * 1000;
  const listeners = new Set<() => void>();
  function moveTo(newTime: number): void {
    if (!Number.isFinite(newTime))
      throw new TypeError('clock: must be set to a valid Date or advanced by a number of seconds');
    time = newTime;
    for (const listener of [...listeners]) listener();
  }
  return {
    get now() {
      return new Date(time);
    },
    set now(date) {
      moveTo(date.getTime());
    },
    advance: (seconds) => moveTo(time + seconds * 1000),
    watch(onMove) {
      listeners.add(onMove);
      return () => void listeners.delete(onMove);
    },
  };
}
