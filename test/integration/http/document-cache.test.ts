// Checks that the cache of parsed and validated documents stays within its bytes on every listener.
import { type DocumentNode, GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentCache, useDocumentCache } from '../../../src/http/plugins/use-document-cache.ts';
import { findYogaDocumentCache } from '../../../src/http/yoga-internals.ts';
import { heapBytes } from '../../support/heap.ts';
import {
  invalidDocument,
  invalidShortDocument,
  validDocument,
  validShortDocument,
} from '../../support/long-documents.ts';
import { request, sendBytes } from '../../support/raw-request.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
let port: number;
beforeAll(async () => {
  server = await startTestServer({ multipart: { maxBodyBytes: 200_000 } });
  port = Number(new URL(server.url).port);
});
afterAll(() => server.close());

const JSON_TYPE = { 'Content-Type': 'application/json' };
const json = (query: string) => JSON.stringify({ query });
const inChunks = (body: string) =>
  request(
    { headers: { ...JSON_TYPE, 'Content-Length': 'ABSENT', 'Transfer-Encoding': 'chunked' } },
    `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  );
const form = (query: string) => new URLSearchParams({ query }).toString();
const multipart = (query: string) =>
  ['--b', 'Content-Disposition: form-data; name="operations"', '', json(query), '--b']
    .concat('Content-Disposition: form-data; name="map"', '', '{}', '--b--', '')
    .join('\r\n');

/** The limits of both caches, and an allowance for memory that a server allocates for its first requests. */
const MAX_GROWTH_BYTES = 40_000_000;
const DOCUMENTS = 40;

/** Each of these documents takes 3 to 8 MB in caches that are bounded by count. */
async function growthBy(send: (index: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 4; i += 1) await send(nextIndex++);
  const before = await heapBytes();
  for (let i = 0; i < DOCUMENTS; i += 1) await send(nextIndex++);
  return (await heapBytes()) - before;
}

/** Index of the next document, so that no document is sent twice. */
let nextIndex = 1_000;

describe('memory stays bounded for distinct documents of 10,000 tokens', () => {
  const long = (i: number) => (i % 2 === 0 ? validDocument(i) : invalidDocument(i));
  const short = (i: number) => (i % 2 === 0 ? validShortDocument(i) : invalidShortDocument(i));
  const inUrl = (i: number) =>
    short(i)
      .slice(0, 13_000)
      .replace(/ [^ ]*$/, i % 2 === 0 ? '}}' : '}');
  const ways: [string, (i: number) => Buffer][] = [
    ['POST on the fast path', (i) => request({ headers: JSON_TYPE }, json(short(i)))],
    ['POST of a long document', (i) => request({ headers: JSON_TYPE }, json(long(i)))],
    [
      'GET',
      (i) => request({ method: 'GET', path: `/graphql?query=${encodeURI(inUrl(i)).replaceAll('%20', '+')}` }),
    ],
    ['a chunked body', (i) => inChunks(json(long(i)))],
    ['application/graphql', (i) => request({ headers: { 'Content-Type': 'application/graphql' } }, long(i))],
    [
      'a form',
      (i) =>
        request(
          { headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'GraphQL-Preflight': '1' } },
          form(long(i)),
        ),
    ],
  ];
  it.each(ways)('documents sent by %s stay within the memory limit', async (_, bytesOf) => {
    let last = '';
    const growth = await growthBy(async (i) => {
      last = await sendBytes(port, [bytesOf(i)]);
      expect(last).toMatch(/^HTTP\/1\.1 [24]00/);
    });
    expect(last).toContain('"errors"');
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it('documents sent as multipart stay within the memory limit', async () => {
    const { schema, plugins } = server.bandha;
    const yoga = createYoga({ schema, plugins, logging: false });
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'graphql-preflight': '1' };
    const growth = await growthBy(async (i) => {
      const response = await yoga.fetch('http://test/graphql', {
        method: 'POST',
        headers,
        body: multipart(long(i)),
      });
      expect(await response.text()).toContain(i % 2 === 0 ? '"data"' : '"errors"');
    });
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });
});

describe('the plugins of Bandha in a Yoga server', () => {
  const noteHooks = () => {
    const parsed: unknown[] = [];
    const validated: (readonly Error[])[] = [];
    const plugin: Plugin = {
      onParse:
        () =>
        ({ result }) =>
          void parsed.push(result),
      onValidate:
        () =>
        ({ result }) =>
          void validated.push(result),
    };
    return { plugin, parsed, validated };
  };
  const send = async (yoga: ReturnType<typeof createYoga>, query: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await yoga.fetch('http://test/graphql', { method: 'POST', headers, body: json(query) });
    return response.text();
  };
  const yogaWith = (before: Plugin[], after: Plugin[], options: object = {}) => {
    const { schema, plugins } = server.bandha;
    return createYoga({ schema, plugins: [...before, ...plugins, ...after], logging: false, ...options });
  };

  it('the plugins replace Yoga’s document cache once, at its position', () => {
    const isCache = findYogaDocumentCache();
    if (isCache === undefined) throw new Error('The locked version of Yoga has no document cache');
    const pluginsOf = (options: object) =>
      (createYoga({ logging: false, ...options }) as unknown as { plugins: Plugin[] }).plugins;
    const withCache = pluginsOf({});
    expect(withCache.filter(isCache)).toHaveLength(1);
    expect(pluginsOf({ parserAndValidationCache: false }).filter(isCache)).toHaveLength(0);

    const replaced = pluginsOf({ plugins: [useDocumentCache()] });
    expect(replaced.filter(isCache)).toHaveLength(0);
    expect(replaced).toHaveLength(withCache.length + 1);
    const [index] = withCache.flatMap((plugin, i) => (isCache(plugin) ? [i] : []));
    expect(Object.keys(replaced[(index ?? 0) + 1] ?? {})).toEqual(['onParse', 'onValidate']);
  });

  it('the plugins add no cache to a server without one', async () => {
    const hooks = noteHooks();
    const yoga = yogaWith([], [hooks.plugin], { parserAndValidationCache: false });
    for (let i = 0; i < 3; i += 1) await send(yoga, '{ viewer { id } }');
    expect(new Set(hooks.parsed).size).toBe(3);
  });

  it.each([
    ['before', (plugin: Plugin) => yogaWith([plugin], [])],
    ['behind', (plugin: Plugin) => yogaWith([], [plugin])],
  ])('hooks of a plugin %s Bandha’s receive each result, cached or not', async (_, yogaOf) => {
    const hooks = noteHooks();
    const yoga = yogaOf(hooks.plugin);
    for (const query of ['{ viewer { id } }', '{ unknown }', '{ viewer {']) {
      const responses = [await send(yoga, query), await send(yoga, query), await send(yoga, query)];
      expect(new Set(responses).size).toBe(1);
    }
    const [document, , again, invalid] = hooks.parsed;
    expect((document as DocumentNode).kind).toBe('Document');
    expect(again).toBe(document);
    expect((invalid as DocumentNode).kind).toBe('Document');
    expect(hooks.parsed.slice(6).every((result) => result instanceof GraphQLError)).toBe(true);
    expect(hooks.parsed).toHaveLength(9);
    expect(hooks.validated.map((errors) => errors.length)).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it('the cache keeps a document sent twice while others are sent once', async () => {
    const hooks = noteHooks();
    const yoga = yogaWith([], [hooks.plugin]);
    await send(yoga, '{ viewer { id } }');
    await send(yoga, '{ viewer { id } }');
    for (let i = 0; i < 20; i += 1) await send(yoga, invalidDocument(i));
    await send(yoga, '{ viewer { id } }');
    expect(hooks.parsed.at(-1)).toBe(hooks.parsed[0]);
  });
});

it('a validation result counts towards its document and is evicted with it', async () => {
  const { cache, plugin } = createDocumentCache({ maxBytesSeenOnce: 400_000, maxBytesSeenTwice: 400_000 });
  const { schema, plugins } = server.bandha;
  const yoga = createYoga({
    schema,
    plugins: [...plugins, plugin],
    parserAndValidationCache: false,
    logging: false,
  });
  for (let i = 0; i < 100; i += 1) {
    const query = `{ ${Array.from({ length: 100 }, (_, field) => `n${i}x${field}`).join(' ')} }`;
    const response = await yoga.fetch('http://test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: json(query),
    });
    await response.text();
    expect(cache.bytes).toBeLessThanOrEqual(800_000);
  }
  // A document of 100 fields takes about 45 kB, and its 100 errors 200 kB.
  expect(cache.bytes).toBeGreaterThan(200_000);
});
