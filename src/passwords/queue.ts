// Limits how many tasks run at the same time. The others wait in one queue per network, served round-robin.

export interface BoundedQueueOptions {
  /** Maximum number of tasks that run at the same time. */
  maxRunning: number;
  /** Maximum number of waiting tasks, of all networks together. */
  maxWaiting: number;
  /** Maximum time that one task waits, in milliseconds. */
  maxWaitMs: number;
}

/** A task was not run: too many were waiting, or it waited for too long. */
export class QueueFullError extends Error {
  constructor() {
    super('The queue is full');
    this.name = 'QueueFullError';
  }
}

interface WaitingTask {
  network: string;
  start: () => void;
  reject: () => void;
}

/**
 * Creates a queue that is fair between networks: each network has its own queue, first in, first out, and the queues are
 * served round-robin. A network that sends many tasks delays only its own.
 *
 * If `maxWaiting` tasks wait and another arrives, the newest task of the network with the most tasks is rejected; the
 * arriving task counts for its network, and is the one rejected if its network has as many as any other.
 *
 * @returns a function that runs a task of a network; it throws {@link QueueFullError} if the task was not run
 */
export function createBoundedQueue({ maxRunning, maxWaiting, maxWaitMs }: BoundedQueueOptions) {
  /** In the order in which networks are served; each set is in the order of arrival. */
  const queues = new Map<string, Set<WaitingTask>>();
  let waitingCount = 0;
  let running = 0;

  function add(waiting: WaitingTask): void {
    const queue = queues.get(waiting.network) ?? new Set();
    queues.set(waiting.network, queue.add(waiting));
    waitingCount += 1;
  }

  function remove(waiting: WaitingTask): void {
    const queue = queues.get(waiting.network);
    if (!queue?.delete(waiting)) return;
    if (queue.size === 0) queues.delete(waiting.network);
    waitingCount -= 1;
  }

  /** @returns whether a task of the network may wait, if necessary after rejecting the newest task of another network */
  function makeRoom(network: string): boolean {
    if (waitingCount < maxWaiting) return true;
    let longest = (queues.get(network)?.size ?? 0) + 1;
    let newest: WaitingTask | undefined;
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
      const waiting: WaitingTask = {
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
    const [first] = queues;
    const [next] = first?.[1] ?? [];
    if (first === undefined || next === undefined) {
      running -= 1;
      return;
    }
    const [network, queue] = first;
    next.start();
    // Moves the network behind all others.
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
