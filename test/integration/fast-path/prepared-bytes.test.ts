// Checks that the prepared operations of the fast path stay within their limit in bytes, with documents, plans and compiled functions.
import { parse } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bandha, createBandha } from '../../../src/bandha.ts';
import { createSeenCache } from '../../../src/http/documents/seen-cache.ts';
import { createPreparedOperations, type Preparation } from '../../../src/http/fast-path/prepare.ts';
import { heapBytes } from '../../support/heap.ts';
import { getServerParts } from '../../support/server-parts.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

let bandha: Bandha;
beforeAll(async () => {
  const typeDefs =
    'extend type Query { node: Node secret: Secret @auth } type Secret { message: String } type Node { a: String b: String node: Node }';
  bandha = await createBandha({ databaseUrl: 'sqlite::memory:', secret: TEST_SECRET, typeDefs });
});
afterAll(() => bandha.close());

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

/** Limit for operations sent once, and for operations sent again, in bytes. */
const LIMIT_BYTES = 8_000_000;
/** The test runner allocates memory during the measurement. */
const NOISE_BYTES = 3_000_000;

it.each([
  ['compiled', (n: number) => `{ n${n}: node { ${repeat(450, (i) => `a${i}:a b${i}:b`)} } }`],
  [
    'compiled from fragments',
    (n: number) =>
      `{ n${n}: node { ${'...F '.repeat(90)} } } fragment F on Node { ${repeat(10, (i) => `a${i}:a`)} }`,
  ],
  [
    'with many planned fields',
    (n: number) => `{ n${n}: node { a } ${repeat(90, (i) => `a${i}:secret{message}`)} }`,
  ],
  [
    'with fragments that multiply planned fields',
    (n: number) =>
      `{ n${n}: node { a } ${'...A '.repeat(9)} } fragment A on Query { ${'...B '.repeat(9)} } fragment B on Query { secret { message } } # ${'x'.repeat(9_000)}`,
  ],
  ['invalid', (n: number) => `{ n${n} ${repeat(900, (i) => `a${i}`)} }`],
])('prepared operations %s stay within their limit in bytes', async (_, textOf) => {
  const { schema, validate } = bandha.yoga.getEnveloped({ request: { method: 'POST' }, params: {} });
  const { guard } = getServerParts(bandha);
  const cache = createSeenCache<Preparation>({
    maxBytesSeenOnce: LIMIT_BYTES,
    maxBytesSeenTwice: LIMIT_BYTES,
  });
  const operations = createPreparedOperations(
    {
      getEnveloped: () => ({ schema, validate, parse: (text) => parse(text) }), // the server's own parser would cache documents too
      guard,
      findExceededLimit: () => undefined,
      compileFor: guard.protect(schema).original,
    },
    cache,
  );
  operations.get(textOf(0), undefined);
  const before = await heapBytes();
  for (let i = 1; i <= 120; i += 1) {
    operations.get(textOf(i), undefined);
    if (i % 2 === 0) operations.get(textOf(i), undefined);
    expect(cache.bytes).toBeLessThanOrEqual(2 * LIMIT_BYTES);
  }
  expect((await heapBytes()) - before).toBeLessThan(cache.bytes + NOISE_BYTES);
});
