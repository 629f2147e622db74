// Long documents are parsed one at a time, with a pass of the event loop between two of them: each takes tens of milliseconds,
// and whoever sends several at once must not keep all other requests waiting for their sum.
import type { Plugin } from 'graphql-yoga';

/** Documents of up to so many characters are parsed at once. */
export const MAX_SHORT_DOCUMENT_LENGTH = 4_000;

/** Calls each task in a pass of the event loop of its own, in the order of arrival. */
export type LongDocumentQueue = (task: () => void) => void;

/** Tasks belong to requests whose body has arrived, so the limit of pending requests bounds the queue. */
export function createLongDocumentQueue(): LongDocumentQueue {
  const pending: (() => void)[] = [];
  let isRunning = false;

  function runNext(): void {
    try {
      pending.shift()?.();
    } finally {
      isRunning = pending.length > 0;
      if (isRunning) setImmediate(runNext);
    }
  }

  return (task) => {
    pending.push(task);
    if (isRunning) return;
    isRunning = true;
    setImmediate(runNext);
  };
}

/** Lets operations with a long document through the queue. */
export function useLongDocumentQueue(queue: LongDocumentQueue): Plugin {
  return {
    onParams({ params }) {
      const { query } = params;
      if (typeof query !== 'string' || query.length <= MAX_SHORT_DOCUMENT_LENGTH) return;
      return new Promise<void>((resolve) => queue(resolve));
    },
  };
}
