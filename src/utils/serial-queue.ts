// Runs asynchronous tasks one after another, in the order in which they were added.

/**
 * Creates a queue that starts a task when the one before it has settled.
 *
 * @returns a function that adds a task and resolves or rejects with its result; a task that rejects does not stop the queue
 */
export function createSerialQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  };
}
