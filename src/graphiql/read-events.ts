// Reads the events of a subscription: server-sent events named `next` (GraphQL over SSE, distinct connections mode).
import { CONNECTION_LOST, FailedRequestError } from './failure.ts';

/**
 * Yields the data of each `next` event until the stream ends.
 * @param stream body of a response of type `text/event-stream`
 * @throws FailedRequestError if the stream ends without a `complete` event: the connection was lost
 */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = stream
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader(); // the DOM types say BufferSource
  let buffered = '';
  let isComplete = false;
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(fail);
      if (done) return isComplete ? undefined : fail();
      buffered += value;
      const events = buffered.split(/\r?\n\r?\n/);
      buffered = events.pop() ?? '';
      for (const event of events) {
        const { name, data } = parseEvent(event);
        if (name === 'complete') isComplete = true; // the stream's end follows
        if (name === 'next' && data !== '') yield JSON.parse(data);
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // a stream that has failed cannot be canceled
  }
}

function fail(): never {
  throw new FailedRequestError(CONNECTION_LOST);
}

function parseEvent(event: string): { name: string; data: string } {
  const fields = event.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const getValues = (name: string) =>
    fields.flatMap((field) => (field?.[1] === name ? [field[2] ?? ''] : []));
  return { name: getValues('event').at(-1) ?? 'message', data: getValues('data').join('\n') };
}
