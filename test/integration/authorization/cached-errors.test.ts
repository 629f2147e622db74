// The cache of the errors of denied operations, which is bounded by bytes.
import { parse } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEvaluationCache } from '../../../src/authorization/evaluation-cache.ts';
import { AuthError, toGraphQLError } from '../../../src/errors.ts';
import { heapBytes } from '../../support/heap.ts';
import { request, sendBytes } from '../../support/raw-request.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const aliases = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

it.each<[string, (n: number) => string]>([
  [
    'one error of a long operation, by the Yoga handler',
    (n) => `{ s${n}: secureData { message } viewer { ${aliases(2_900, (i) => `x${i}:id`)} } }`,
  ],
  [
    'one error of an operation on the fast path',
    (n) => `{ s${n}: secureData { message } viewer { ${aliases(2_200, (i) => `x${i}:id`)} } }`,
  ],
  [
    'an error of a field with a long name',
    (n) =>
      `{ ${'long'.repeat(50)}${n}: secureData { message } viewer { ${aliases(2_000, (i) => `x${i}:id`)} } }`,
  ],
  ['many errors', (n) => `{ ${aliases(100, (i) => `s${n}x${i}: secureData { message user { id } }`)} }`],
])('denied operations do not fill the memory: %s', async (_, createQuery) => {
  const port = Number(new URL(server.url).port);
  const deny = async (n: number) => {
    const body = JSON.stringify({ query: createQuery(n) });
    const response = await sendBytes(port, [
      request({ headers: { 'Content-Type': 'application/json' } }, body),
    ]);
    expect(response).toMatch(/^HTTP\/1\.1 401/);
  };
  for (let n = 0; n < 5; n += 1) await deny(n);
  const before = await heapBytes();
  for (let n = 5; n < 105; n += 1) await deny(n);
  expect((await heapBytes()) - before).toBeLessThan(45_000_000);
});

const createErrors = (count: number, coordinate: string, text = `{ secureData { message } }`) => {
  const [node] = parse(text).definitions;
  if (node === undefined) throw new Error('The document is empty');
  const error = new AuthError('MISSING_SCOPE', { coordinate, scope: 'invoices:read invoices:write' });
  return Array.from({ length: count }, (_, i) =>
    toGraphQLError(error, { nodes: [node], path: ['secureData', `alias${i}`, 'field'] }, true),
  );
};

it('a cached error has the same JSON and retains nothing of the document', () => {
  const cache = createEvaluationCache();
  const errors = createErrors(2, 'Query.secureData');
  const cached = cache.set('key', { errors });
  expect(JSON.stringify(cached.errors)).toBe(JSON.stringify(errors));
  expect(cache.get('key')).toBe(cached);
  for (const [index, error] of cached.errors.entries()) {
    expect(error.locations).toEqual([{ line: 1, column: 1 }]);
    expect(error.extensions).toEqual(errors[index]?.extensions);
    expect([error.nodes, error.source, error.positions]).toEqual([undefined, undefined, undefined]);
  }
});

it.each([1, 100])('evaluations with %i errors take no more bytes than the cache counts', async (count) => {
  const maxBytes = 8_000_000;
  const cache = createEvaluationCache(maxBytes);
  const before = await heapBytes();
  for (let n = 0; n < 10_000 / count; n += 1)
    cache.set(`key ${n}`, { errors: createErrors(count, `Query.field${n}`) });
  expect(cache.bytes).toBeLessThanOrEqual(maxBytes);
  expect(cache.bytes).toBeGreaterThan(maxBytes / 2);
  // The rest is for the responses of the fast path.
  expect((await heapBytes()) - before).toBeLessThan(cache.bytes);
});

it('an evaluation larger than the cache is returned and not cached', () => {
  const cache = createEvaluationCache(10_000);
  expect(cache.set('key', { errors: createErrors(100, 'Query.secureData') }).errors).toHaveLength(100);
  expect(cache.get('key')).toBeUndefined();
  expect(cache.bytes).toBe(0);
});
