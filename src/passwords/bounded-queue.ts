// Runs at most so many tasks at once; the rest wait in a bounded line, each until its deadline.

export interface BoundedQueueOptions {
  maxRunning: number;
  /** How many may wait; one more is refused at once. */
  maxWaiting: number;
  /** How long one may wait, in milliseconds. */
  maxWaitMs: number;
}

/** The line was full, or the wait too long; the task did not run. */
export class QueueFullError extends Error {
  constructor() {
    super('The queue is full');
    this.name = 'QueueFullError';
  }
}

/**
 * @returns a function that runs a task when its turn comes, first come first served
 * @throws QueueFullError from that function, when the line is full or the deadline passes before the turn comes
 */
export function createBoundedQueue({ maxRunning, maxWaiting, maxWaitMs }: BoundedQueueOptions) {
  const waiting = new Set<() => void>();
  let running = 0;

  function takeTurn(): Promise<void> {
    if (running < maxRunning) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting) return Promise.reject(new QueueFullError());
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(deadline);
        resolve();
      };
      const deadline = setTimeout(() => {
        waiting.delete(start);
        reject(new QueueFullError());
      }, maxWaitMs);
      waiting.add(start);
    });
  }

  function passTurn(): void {
    const [next] = waiting; // a Set keeps the order of arrival
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return async function run<T>(task: () => Promise<T>): Promise<T> {
    await takeTurn();
    try {
      return await task();
    } finally {
      passTurn();
    }
  };
}
