// Long documents wait for each other, and other requests do not wait for more than one of them.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLongDocumentQueue, MAX_SHORT_DOCUMENT_LENGTH } from '../../src/http/long-documents.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('the queue of long documents', () => {
  it('runs one task in each pass of the event loop, in the order of arrival', async () => {
    const queue = createLongDocumentQueue();
    const events: string[] = [];
    const done = new Promise<void>((resolve) => {
      for (const name of ['a', 'b', 'c']) {
        queue(() => {
          events.push(name);
          setImmediate(() => {
            events.push('another request');
            if (name === 'c') resolve();
          });
        });
      }
    });
    await done;
    expect(events).toEqual(['a', 'another request', 'b', 'another request', 'c', 'another request']);
  });

  it('takes tasks that a task adds', async () => {
    const queue = createLongDocumentQueue();
    await new Promise<void>((resolve) => queue(() => queue(resolve)));
    await new Promise<void>((resolve) => queue(resolve));
  });
});

describe('a long document', () => {
  const long = (i: number) =>
    `{ viewer { ${Array.from({ length: 1_000 }, (_, n) => `x${i}_${n}: id`).join(' ')} } }`;
  let server: TestServer;
  let own: ReturnType<typeof createServer>;
  beforeEach(async () => {
    server = await startTestServer();
    const { schema, plugins } = server.bandha;
    own = createServer(createYoga({ schema, plugins, logging: false })).listen(0, '127.0.0.1');
    await once(own, 'listening');
  });
  afterEach(async () => {
    own.closeAllConnections();
    own.close();
    await server.close();
  });

  it.each(['the fast path', 'the Yoga handler', 'an own Yoga server'])(
    'is answered, as are others at the same time: %s',
    async (way) => {
      expect(long(1).length).toBeGreaterThan(MAX_SHORT_DOCUMENT_LENGTH);
      const { port } = own.address() as AddressInfo; // a TCP server that listens has one
      const url = way === 'an own Yoga server' ? `http://127.0.0.1:${port}` : server.url;
      // A charset that the fast path leaves to the Yoga handler.
      const type = way === 'the Yoga handler' ? 'application/json; charset="utf-8"' : 'application/json';
      const send = async (query: string) => {
        const body = JSON.stringify({ query });
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': type },
          body,
        });
        return response.json();
      };
      const answers = await Promise.all([long(1), long(2), long(1), '{ viewer { id } }'].map(send));
      expect(answers).toEqual(answers.map(() => ({ data: { viewer: null } })));
    },
  );
});
