// The cache of verified tokens is limited in bytes: a token may be as long as the headers of a request.
import { randomBytes } from 'node:crypto';
import { generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createVerifier, type Verifier } from '../../../src/tokens/verifier.ts';
import { heapBytes } from '../../support/heap.ts';

const START = new Date('2026-01-31T12:00:00.000Z');
const ISSUER = 'https://issuer.example';

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
beforeAll(async () => {
  pair = await generateKeyPair('EdDSA');
});

const text = (bytes: number) => randomBytes(bytes).toString('hex');
const list = (length: number, item: (i: number) => unknown) => Array.from({ length }, (_, i) => item(i));

const createTestVerifier = (maxCachedTokens: number): Verifier =>
  createVerifier({
    issuer: ISSUER,
    audience: 'api',
    keys: async () => pair.publicKey,
    now: () => START,
    maxCachedTokens,
  });

/** Verifies a token with these claims and the `jti` `n`. */
async function present(verifier: Verifier, n: number, claims: JWTPayload): Promise<string> {
  const seconds = START.getTime() / 1000;
  const token = await new SignJWT({ ...claims, jti: String(n), iat: seconds, exp: seconds + 600 })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience('api')
    .setSubject('ada')
    .sign(pair.privateKey);
  const { principal } = await verifier.verify(token);
  expect(principal?.claims.jti).toBe(String(n));
  return token;
}

describe.each<[string, () => JWTPayload]>([
  ['usual claims', () => ({ sid: text(16), roles: ['admin'], scope: 'a b', client_id: 'app', auth_time: 1 })],
  ['a long claim', () => ({ text: text(4_000) })],
  ['many roles', () => ({ roles: list(500, () => text(4)) })],
  ['many scopes', () => ({ scope: list(500, () => text(4)).join(' ') })],
  [
    'a large object',
    () => ({ grants: Object.fromEntries(list(300, () => [text(6), 1]) as [string, number][]) }),
  ],
  ['deep lists', () => ({ rights: list(500, (i) => [[i + 0.5]]) })],
])('tokens with %s', (_, claimsOf) => {
  it('take no more bytes than the cache allows', async () => {
    let verifier: Verifier | undefined = createTestVerifier(1_000);
    for (let n = 1; n <= 1_200; n += 1) await present(verifier, n, claimsOf());
    const filled = await heapBytes();
    expect(verifier.cachedTokens).toBeGreaterThan(20); // read here, so that it is not collected before
    verifier = undefined;
    const released = await heapBytes();
    expect(filled - released).toBeLessThan(2_000_000 + 500_000); // 500 kB for other allocations
  });
});

it('a cache for one token holds even the largest one', async () => {
  const verifier = createTestVerifier(1);
  const token = await present(verifier, 1, { text: text(5_000) });
  expect(verifier.getCached(token)).toBeDefined();
});

it('tokens of usual size are limited by number, not by bytes', async () => {
  const verifier = createTestVerifier(500);
  for (let n = 0; n < 600; n += 1)
    await present(verifier, n, { sid: text(18), roles: ['admin', 'user'], scope: '' });
  expect(verifier.cachedTokens).toBe(500);
});
