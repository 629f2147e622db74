// The events of a subscription over HTTP: server-sent events of the kind `next`.
import { CONNECTION_LOST, FailedRequestError } from './failure.ts';

/**
 * Yields the data of each `next` event, until `complete`.
 * @throws FailedRequestError if the stream ends before; then the subscription has not ended, but its connection has
 * @param stream the body of an answer of type `text/event-stream`
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
    await reader.cancel().catch(() => {}); // what has failed already cannot be cancelled
  }
}

function fail(): never {
  throw new FailedRequestError(CONNECTION_LOST);
}

function parseEvent(event: string): { name: string; data: string } {
  const fields = event.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const valuesOf = (wanted: string) =>
    fields.flatMap((field) => (field?.[1] === wanted ? [field[2] ?? ''] : []));
  return { name: valuesOf('event').at(-1) ?? 'message', data: valuesOf('data').join('\n') };
}
