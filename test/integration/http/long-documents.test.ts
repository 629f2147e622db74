// Checks that long documents are parsed one by one, so that other requests wait for at most one of them.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createLongDocumentQueue,
  MAX_SHORT_DOCUMENT_LENGTH,
  useLongDocumentQueue,
} from '../../../src/http/documents/long-documents.ts';
import { createFastPathListener } from '../../../src/http/fast-path/listener.ts';
import { createOwnYoga, listen } from '../../support/own-yoga.ts';
import { getServerParts } from '../../support/server-parts.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

describe('the queue of long documents', () => {
  it('runs one task per turn of the event loop, in the order of arrival', async () => {
    const queue = createLongDocumentQueue();
    const events: string[] = [];
    const done = new Promise<void>((resolve) => {
      for (const name of ['a', 'b', 'c']) {
        queue(1, () => {
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

  it('accepts tasks that a task adds', async () => {
    const queue = createLongDocumentQueue();
    await new Promise<void>((resolve) => queue(1, () => queue(1, resolve)));
    await new Promise<void>((resolve) => queue(1, resolve));
  });
});

describe('a full queue', () => {
  it('drops tasks until others have run, but accepts a single large one', async () => {
    const queue = createLongDocumentQueue(100);
    const events: string[] = [];
    const add = (name: string, bytes: number) => queue(bytes, () => events.push(name));
    expect([add('a', 60), add('b', 40), add('c', 1), add('d', 101)]).toEqual([true, true, false, false]);
    await new Promise<void>((resolve) =>
      setImmediate(() => setImmediate(() => setImmediate(() => resolve()))),
    );
    expect(add('e', 500)).toBe(true);
    expect(add('f', 1)).toBe(false);
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(() => resolve())));
    expect(events).toEqual(['a', 'b', 'e']);
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

  it.each(['the fast path', 'the Yoga handler', 'a Yoga server of the application'])(
    'several long documents at once all get responses: %s',
    async (way) => {
      expect(long(1).length).toBeGreaterThan(MAX_SHORT_DOCUMENT_LENGTH);
      const { port } = own.address() as AddressInfo; // a TCP server that listens has one
      const url = way === 'a Yoga server of the application' ? `http://127.0.0.1:${port}` : server.url;
      // The fast path passes this charset to the Yoga handler.
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
      const responses = await Promise.all([long(1), long(2), long(1), '{ viewer { id } }'].map(send));
      expect(responses).toEqual(responses.map(() => ({ data: { viewer: null } })));
    },
  );

  it('a full queue rejects long documents with 503, and no short ones', async () => {
    const queue = createLongDocumentQueue(1);
    let isHeld = true;
    const hold = () => {
      if (isHeld) queue(1, hold);
    };
    hold();
    const { bandha } = server;
    const yoga = createYoga({
      schema: bandha.schema,
      plugins: [useLongDocumentQueue(queue, 100_000), ...bandha.plugins],
      logging: false,
      cors: false,
    });
    // A Yoga server with the queue alone, and the fast path of an application's Yoga server.
    const parts = { ...getServerParts(bandha), longDocuments: queue };
    const fastPath = createFastPathListener(createOwnYoga(bandha), parts);
    const ways = await Promise.all([listen(yoga), listen(fastPath)]);
    const responses = ways.map(async ({ url }) => {
      const send = (query: string) =>
        fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        });
      expect((await send('{ viewer { id } }')).status).toBe(200);
      const { status, headers, text } = await send(long(1)).then(async (response) => ({
        status: response.status,
        headers: response.headers,
        text: await response.text(),
      }));
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('1');
      return text;
    });
    const [one, other] = await Promise.all(responses);
    expect(JSON.parse(one ?? '')).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    expect(other).toBe(one);
    isHeld = false;
    for (const { close } of ways) close();
  });
});
