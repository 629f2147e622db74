// Long documents are parsed one at a time, with a pass of the event loop between two of them: each takes tens of milliseconds,
// and whoever sends several at once must not keep all other requests waiting for their sum.
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Documents of up to so many characters are parsed at once. */
export const MAX_SHORT_DOCUMENT_LENGTH = 4_000;
/** Bytes of the requests that wait for their turn; each retains its body two or three times. */
const MAX_PENDING_BYTES = 16_000_000;

/**
 * Calls each task in a pass of the event loop of its own, in the order of arrival.
 * @param bytes of the request's body
 * @returns false, and drops the task, if too many bytes are waiting
 */
export type LongDocumentQueue = (bytes: number, task: () => void) => boolean;

export function createLongDocumentQueue(maxPendingBytes = MAX_PENDING_BYTES): LongDocumentQueue {
  const pending: { bytes: number; task: () => void }[] = [];
  let pendingBytes = 0;
  let isRunning = false;

  function runNext(): void {
    const next = pending.shift();
    pendingBytes -= next?.bytes ?? 0;
    try {
      next?.task();
    } finally {
      isRunning = pending.length > 0;
      if (isRunning) setImmediate(runNext);
    }
  }

  return (bytes, task) => {
    // One that is longer than the limit is taken if it is alone.
    if (pending.length > 0 && pendingBytes + bytes > maxPendingBytes) return false;
    pending.push({ bytes, task });
    pendingBytes += bytes;
    if (isRunning) return true;
    isRunning = true;
    setImmediate(runNext);
    return true;
  };
}

/** The response to a request that finds the queue full. */
export function queueFullError(): GraphQLError {
  const http = { status: 503, headers: { 'Retry-After': '1' } };
  return new GraphQLError('Too many long documents are waiting to be parsed. Try again later.', {
    extensions: { code: 'SERVICE_UNAVAILABLE', http },
  });
}

/**
 * Lets operations with a long document through the queue.
 * @param maxBodyBytes what a body of unknown length counts as
 */
export function useLongDocumentQueue(queue: LongDocumentQueue, maxBodyBytes: number): Plugin {
  return {
    onParams({ params, request }) {
      const { query } = params;
      if (typeof query !== 'string' || query.length <= MAX_SHORT_DOCUMENT_LENGTH) return;
      const length = Number(request.headers.get('content-length') ?? maxBodyBytes);
      const bytes = Math.max(query.length, Number.isFinite(length) ? length : maxBodyBytes);
      const parsing = Promise.withResolvers<void>();
      if (!queue(bytes, parsing.resolve)) throw queueFullError();
      return parsing.promise;
    },
  };
}
