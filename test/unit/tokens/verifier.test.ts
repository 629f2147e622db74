// The verifier: maximum age, clock tolerance, cache, and key lookup.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errors, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { createVerifier, type Verifier, type VerifierOptions } from '../../../src/tokens/verifier.ts';
import { silentLog } from '../../../src/utils/log.ts';

const ISSUER = 'https://issuer.example';
const TTL_SECONDS = 600;
const START = new Date('2026-01-31T12:00:00.000Z');

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let clock: { now: Date };
let lookups: number;
beforeAll(async () => {
  pair = await generateKeyPair('EdDSA');
});
beforeEach(() => {
  clock = { now: START };
  lookups = 0;
});

const keys: JWTVerifyGetKey = async () => {
  lookups += 1;
  return pair.publicKey;
};
function createTestVerifier(options: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({
    issuer: ISSUER,
    audience: 'api',
    keys,
    now: () => clock.now,
    log: silentLog,
    ...options,
  });
}
function createToken({
  audience = 'api',
  typ = 'at+jwt',
  hasIssuedAt = true,
  ttlSeconds = TTL_SECONDS,
} = {}): Promise<string> {
  const seconds = START.getTime() / 1000;
  return new SignJWT({ jti: crypto.randomUUID(), ...(hasIssuedAt && { iat: seconds }) })
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: 'k1' })
    .setIssuer(ISSUER)
    .setSubject('ada')
    .setAudience(audience)
    .setExpirationTime(seconds + ttlSeconds)
    .sign(pair.privateKey);
}
async function expectAccepted(verifier: Verifier, token: string): Promise<void> {
  expect((await verifier.verify(token)).principal?.userId).toBe('ada');
}
async function expectRejected(verifier: Verifier, token: string, problem: string): Promise<void> {
  expect(await verifier.verify(token)).toEqual({ principal: undefined, problem });
}

describe('maxAgeSeconds', () => {
  const at = (ms: number) => {
    clock.now = new Date(START.getTime() + ms);
  };

  it('expires a token before its exp, cached or not', async () => {
    const verifier = createTestVerifier({ maxAgeSeconds: 100 });
    const [cached, fresh] = [await createToken(), await createToken()];
    at(99_999);
    await expectAccepted(verifier, cached);
    at(100_000);
    await expectRejected(verifier, cached, 'TOKEN_EXPIRED');
    await expectRejected(verifier, fresh, 'TOKEN_EXPIRED');
  });

  it('never extends the exp of a token', async () => {
    const verifier = createTestVerifier({ maxAgeSeconds: 2 * TTL_SECONDS });
    const token = await createToken();
    at(TTL_SECONDS * 1000 - 1);
    await expectAccepted(verifier, token);
    at(TTL_SECONDS * 1000);
    await expectRejected(verifier, token, 'TOKEN_EXPIRED');
  });

  it('requires iat in every token', async () => {
    const token = await createToken({ hasIssuedAt: false });
    await expectRejected(createTestVerifier({ maxAgeSeconds: 100 }), token, 'TOKEN_INVALID');
    await expectAccepted(createTestVerifier(), token);
  });
});

describe('a token issued in the future', () => {
  const aheadOf = (seconds: number) => {
    clock.now = new Date(START.getTime() - seconds * 1000);
  };

  it.each<[string, Partial<VerifierOptions>, number]>([
    ['5 s by default', {}, 5],
    ['a tolerance of 0 s', { clockToleranceSeconds: 0 }, 0],
    ['a tolerance of 5 s', { clockToleranceSeconds: 5 }, 5],
    ['at most 60 s ahead', { maxAheadSeconds: 60 }, 60],
    ['at most 0 s ahead, whatever the tolerance', { maxAheadSeconds: 0, clockToleranceSeconds: 5 }, 0],
  ])('gives TOKEN_INVALID beyond the limit: %s', async (_, options, limit) => {
    const [token, other] = [await createToken(), await createToken()];
    const verifier = createTestVerifier(options);
    aheadOf(limit + 0.001);
    await expectRejected(verifier, token, 'TOKEN_INVALID');
    aheadOf(30 * 24 * 60 * 60);
    await expectRejected(verifier, token, 'TOKEN_INVALID');
    aheadOf(limit);
    await expectAccepted(verifier, token);
    await expectAccepted(verifier, other);
  });

  it('expires at exp despite the default tolerance for iat', async () => {
    const [token, verifier] = [await createToken(), createTestVerifier()];
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000);
    await expectRejected(verifier, token, 'TOKEN_EXPIRED');
  });

  it('counts as valid if it has no iat', async () => {
    const token = await createToken({ hasIssuedAt: false });
    aheadOf(1_000);
    await expectAccepted(createTestVerifier(), token);
  });
});

describe('concurrent verification', () => {
  it('looks up the key once for fifty requests with one token', async () => {
    const verifier = createTestVerifier();
    const token = await createToken();
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
    expect(all.every(({ principal }) => principal?.userId === 'ada')).toBe(true);
    expect(lookups).toBe(1);
  });

  it('looks up the key once for fifty requests with one invalid token', async () => {
    const verifier = createTestVerifier();
    const token = await createToken({ audience: 'other' });
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
    expect(new Set(all.map(({ problem }) => problem))).toEqual(new Set(['TOKEN_INVALID']));
    expect(lookups).toBe(1);
  });

  it('gives each token its own principal', async () => {
    const verifier = createTestVerifier();
    const tokens = await Promise.all(Array.from({ length: 10 }, () => createToken()));
    const all = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(new Set(all.map(({ principal }) => principal?.claims.jti)).size).toBe(10);
    expect(lookups).toBe(10);
  });
});

describe('the cache of a verifier', () => {
  it('returns a verified token without another key lookup', async () => {
    const verifier = createTestVerifier();
    const token = await createToken();
    expect(verifier.cachedTokens).toBe(0);
    for (let i = 0; i < 3; i += 1) await expectAccepted(verifier, token);
    expect(lookups).toBe(1);
    expect(verifier.cachedTokens).toBe(1);
  });

  it('rejects a token once it has expired, without a key lookup', async () => {
    const verifier = createTestVerifier();
    const token = await createToken();
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 - 1);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000);
    await expectRejected(verifier, token, 'TOKEN_EXPIRED');
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 1000);
    await expectRejected(verifier, token, 'TOKEN_EXPIRED');
    expect(lookups).toBe(1); // a client that goes on sending it costs one lookup
  });

  it('extends exp by exactly the clock tolerance', async () => {
    const verifier = createTestVerifier({ clockToleranceSeconds: 5 });
    const token = await createToken();
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 4_999);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 5_000);
    await expectRejected(verifier, token, 'TOKEN_EXPIRED');
  });

  it('rejects a token whose key was withdrawn after the clock is set back', async () => {
    const key = { isWithdrawn: false };
    const verifier = createTestVerifier({
      keys: async (header, token) => {
        if (key.isWithdrawn) throw new errors.JWKSNoMatchingKey();
        return keys(header, token);
      },
    });
    clock.now = new Date(START.getTime() + 60_000);
    const token = await createToken();
    await expectAccepted(verifier, token);
    key.isWithdrawn = true;
    clock.now = new Date(START.getTime() + 59_000);
    await expectRejected(verifier, token, 'TOKEN_INVALID');
    clock.now = new Date(START.getTime() + 61_000);
    await expectRejected(verifier, token, 'TOKEN_INVALID');
  });

  it('verifies a token again after ten minutes, so that keys can be withdrawn', async () => {
    const key = { isWithdrawn: false };
    const verifier = createTestVerifier({
      keys: async (header, token) => {
        if (key.isWithdrawn) throw new errors.JWKSNoMatchingKey();
        return keys(header, token);
      },
    });
    const token = await createToken({ ttlSeconds: 86_400 });
    await expectAccepted(verifier, token);
    key.isWithdrawn = true;
    clock.now = new Date(START.getTime() + 599_999);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + 600_000);
    await expectRejected(verifier, token, 'TOKEN_INVALID');
  });

  it('returns principals that no request can change', async () => {
    const verifier = createTestVerifier();
    const verification = await verifier.verify(await createToken());
    const { principal } = verification;
    if (principal === undefined) throw new Error('The token was rejected');
    expect(() => Object.assign(verification, { principal: null })).toThrow(TypeError);
    expect(() => Object.assign(principal, { userId: 'bob' })).toThrow(TypeError);
    expect(() => Object.assign(principal.claims, { roles: ['admin'] })).toThrow(TypeError);
    for (const set of [principal.roles, principal.scopes] as Set<string>[]) {
      expect(() => set.add('admin')).toThrow(TypeError);
      expect(() => set.delete('admin')).toThrow(TypeError);
      expect(() => set.clear()).toThrow(TypeError);
    }
    principal.authenticatedAt.setTime(START.getTime());
    expect(principal.authenticatedAt.getTime()).toBe(0);
  });

  it('contains no rejected tokens', async () => {
    const verifier = createTestVerifier({ maxCachedTokens: 1 });
    const good = await createToken();
    await expectAccepted(verifier, good);
    const rejected = await createToken({ audience: 'other' });
    await expectRejected(verifier, rejected, 'TOKEN_INVALID');
    await expectRejected(verifier, rejected, 'TOKEN_INVALID');
    expect(lookups).toBe(3);
    for (let i = 0; i < 100; i += 1) await expectRejected(verifier, `garbage${i}`, 'TOKEN_MALFORMED');
    await expectAccepted(verifier, good);
    expect(lookups).toBe(3);
  });

  it('evicts the least recently used token beyond its maximum', async () => {
    const verifier = createTestVerifier({ maxCachedTokens: 2 });
    const tokens = await Promise.all([createToken(), createToken(), createToken()]);
    for (const token of tokens) await expectAccepted(verifier, token);
    expect(lookups).toBe(3);
    const [oldest = '', , newest = ''] = tokens;
    await expectAccepted(verifier, newest);
    expect(lookups).toBe(3);
    await expectAccepted(verifier, oldest);
    expect(lookups).toBe(4);
  });

  it('stores one entry for a token in many spellings', async () => {
    const verifier = createTestVerifier({ maxCachedTokens: 20 });
    const [victim, token] = await Promise.all([createToken(), createToken()]);
    await expectAccepted(verifier, victim);
    for (let i = 1; i < 60; i += 1) await verifier.verify(`${token.slice(0, -i)} ${token.slice(-i)}`);
    const before = lookups;
    await expectAccepted(verifier, victim);
    expect(lookups).toBe(before);
  });
});

describe('key lookup', () => {
  /** Runs a JWKS endpoint that responds with `listener`. */
  async function withEndpoint(listener: RequestListener, use: (url: URL) => Promise<void>): Promise<void> {
    const endpoint = createServer(listener).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const { port } = endpoint.address() as AddressInfo; // a TCP server that listens has one
    try {
      await use(new URL(`http://127.0.0.1:${port}/jwks.json`));
    } finally {
      endpoint.closeAllConnections();
      endpoint.close();
    }
  }
  async function jwks(): Promise<string> {
    return JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' }] });
  }

  it.each<[string, RequestListener]>([
    ['the connection is closed', (request) => request.socket.destroy()],
    ['the endpoint fails', (_, response) => response.writeHead(500).end()],
    ['the endpoint moved', (_, response) => response.writeHead(404).end()],
    ['the response is not JSON', (_, response) => response.end('<html>')],
    ['the response is not a JWK Set', (_, response) => response.end('{"keys":"none"}')],
  ])('gives KEYS_UNAVAILABLE if %s, and is tried again', async (_, failing) => {
    const set = await jwks();
    let isDown = true;
    await withEndpoint(
      (request, response) => (isDown ? failing(request, response) : response.end(set)),
      async (url) => {
        const verifier = createTestVerifier({ keys: url });
        const token = await createToken();
        await expectRejected(verifier, token, 'KEYS_UNAVAILABLE');
        isDown = false;
        await expectAccepted(verifier, token);
        isDown = true;
        await expectAccepted(verifier, token);
      },
    );
  });

  it.each<[string, () => Error]>([
    ['a failed fetch', () => new TypeError('fetch failed')],
    ['a timeout of jose', () => new errors.JWKSTimeout()],
    ['a rejected response of jose', () => new errors.JOSEError('Expected 200 OK from the endpoint')],
  ])('gives KEYS_UNAVAILABLE if a key function rejects with %s', async (_, createError) => {
    const verifier = createTestVerifier({ keys: () => Promise.reject(createError()) });
    await expectRejected(verifier, await createToken(), 'KEYS_UNAVAILABLE');
  });

  it('takes place for well-formed tokens only', async () => {
    const verifier = createTestVerifier();
    for (const token of ['', 'a.b.c', 'garbage', 'x'.repeat(10_000)]) {
      await expectRejected(verifier, token, 'TOKEN_MALFORMED');
    }
    expect(lookups).toBe(0);
  });

  it('gives TOKEN_INVALID if the set does not contain the key', async () => {
    await withEndpoint(
      (_, response) => response.end('{"keys":[]}'),
      async (url) => expectRejected(createTestVerifier({ keys: url }), await createToken(), 'TOKEN_INVALID'),
    );
  });
});

describe('a verifier', () => {
  it('requires the typ of RFC 9068 unless another is configured', async () => {
    const token = await createToken({ typ: 'JWT' });
    await expectRejected(createTestVerifier(), token, 'TOKEN_INVALID');
    await expectAccepted(createTestVerifier({ type: 'JWT' }), token);
    await expectAccepted(createTestVerifier({ type: null }), token);
  });

  it.each<[string, Partial<VerifierOptions>]>([
    ['no issuer', { issuer: '' }],
    ['no audience', { audience: '' }],
    ['no algorithms', { algorithms: [] }],
    // A caller without types can name any algorithm.
    ['a symmetric algorithm', { algorithms: ['HS256' as 'EdDSA'] }],
    ['no algorithm at all', { algorithms: ['none' as 'EdDSA'] }],
    ['a clock tolerance over 300 seconds', { clockToleranceSeconds: 300.001 }],
    ['a negative clock tolerance', { clockToleranceSeconds: -1 }],
    ['a clock tolerance that is not a number', { clockToleranceSeconds: Number.NaN }],
  ])('fails at start with %s', (_, options) => {
    expect(() => createTestVerifier(options)).toThrow(ConfigError);
  });
});
