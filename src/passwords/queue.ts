// Runs at most so many tasks at once; the rest wait in one queue per network, served in turn, each task until its deadline.

export interface BoundedQueueOptions {
  maxRunning: number;
  /** Tasks that may wait, of all networks together. */
  maxWaiting: number;
  /** Milliseconds that one may wait. */
  maxWaitMs: number;
}

/** The task did not run: too many were waiting, or it had waited too long. */
export class QueueFullError extends Error {
  constructor() {
    super('The queue is full');
    this.name = 'QueueFullError';
  }
}

interface Waiting {
  network: string;
  start: () => void;
  reject: () => void;
}

/**
 * Each network has a queue of its own, first come first served, and each time that a place becomes free it is another
 * network's turn: one that sends more than the others waits for itself alone.
 *
 * If `maxWaiting` tasks wait and another arrives, the newest task of the network with the most tasks is rejected, the
 * one that arrives counted in. Of several networks with as many, the one that arrives is rejected.
 *
 * @returns a function that runs a task of a network when it is its turn
 * @throws {@link QueueFullError} from that function
 */
export function createBoundedQueue({ maxRunning, maxWaiting, maxWaitMs }: BoundedQueueOptions) {
  /** In the order of their turns. A set keeps the order of arrival. */
  const queues = new Map<string, Set<Waiting>>();
  let waitingCount = 0;
  let running = 0;

  function add(waiting: Waiting): void {
    const queue = queues.get(waiting.network) ?? new Set();
    queues.set(waiting.network, queue.add(waiting));
    waitingCount += 1;
  }

  function remove(waiting: Waiting): void {
    const queue = queues.get(waiting.network);
    if (!queue?.delete(waiting)) return;
    if (queue.size === 0) queues.delete(waiting.network);
    waitingCount -= 1;
  }

  /** @returns whether there is a place for a task of the network, if need be that of another network's newest task */
  function makeRoom(network: string): boolean {
    if (waitingCount < maxWaiting) return true;
    let longest = (queues.get(network)?.size ?? 0) + 1;
    let newest: Waiting | undefined;
    for (const [other, queue] of queues) {
      if (other === network || queue.size <= longest) continue;
      longest = queue.size;
      newest = [...queue].at(-1);
    }
    newest?.reject();
    return newest !== undefined;
  }

  function acquire(network: string): Promise<void> {
    if (running < maxRunning) {
      running += 1;
      return Promise.resolve();
    }
    if (!makeRoom(network)) return Promise.reject(new QueueFullError());
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(deadline);
        remove(waiting);
      };
      const waiting: Waiting = {
        network,
        start() {
          leave();
          resolve();
        },
        reject() {
          leave();
          reject(new QueueFullError());
        },
      };
      const deadline = setTimeout(waiting.reject, maxWaitMs);
      add(waiting);
    });
  }

  function release(): void {
    const [turn] = queues;
    const [next] = turn?.[1] ?? [];
    if (turn === undefined || next === undefined) {
      running -= 1;
      return;
    }
    const [network, queue] = turn;
    next.start();
    // To the end, behind all other networks.
    if (queues.delete(network)) queues.set(network, queue);
  }

  return async function run<T>(task: () => Promise<T>, network: string): Promise<T> {
    await acquire(network);
    try {
      return await task();
    } finally {
      release();
    }
  };
}
