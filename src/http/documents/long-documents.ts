// Parses long documents one at a time, with a turn of the event loop between them. Each takes tens of milliseconds, so that
// without the queue a client with several of them would block all other requests for the total time.
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Maximum length of a document that is parsed without the queue, in characters. */
export const MAX_SHORT_DOCUMENT_LENGTH = 4_000;
/** Maximum total bytes of queued request bodies. Each request retains its body two or three times. */
const MAX_PENDING_BYTES = 16_000_000;

/**
 * Adds a task to the queue. Tasks run in the order of arrival, one per turn of the event loop.
 * @param bytes length of the request's body
 * @returns false if too many bytes are queued; the task is dropped
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
    // An empty queue accepts a body of any length.
    if (pending.length > 0 && pendingBytes + bytes > maxPendingBytes) return false;
    pending.push({ bytes, task });
    pendingBytes += bytes;
    if (isRunning) return true;
    isRunning = true;
    setImmediate(runNext);
    return true;
  };
}

/** The error for a request that arrives while the queue is full. */
export function queueFullError(): GraphQLError {
  const http = { status: 503, headers: { 'Retry-After': '1' } };
  return new GraphQLError('Too many long documents are waiting to be parsed. Try again later.', {
    extensions: { code: 'SERVICE_UNAVAILABLE', http },
  });
}

/**
 * Delays operations with a long document until the queue runs them.
 * @param maxBodyBytes assumed length of a body without `Content-Length`
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
