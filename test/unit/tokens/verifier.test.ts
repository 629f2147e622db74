// The verifier's memory and its keys: what is looked up, how often, and what is remembered.
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
let lookUps: number;
beforeAll(async () => {
  pair = await generateKeyPair('EdDSA');
});
beforeEach(() => {
  clock = { now: START };
  lookUps = 0;
});

const keys: JWTVerifyGetKey = async () => {
  lookUps += 1;
  return pair.publicKey;
};
function makeVerifier(options: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({
    issuer: ISSUER,
    audience: 'api',
    keys,
    now: () => clock.now,
    log: silentLog,
    ...options,
  });
}
function makeToken({
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
async function expectRefused(verifier: Verifier, token: string, problem: string): Promise<void> {
  expect(await verifier.verify(token)).toEqual({ principal: undefined, problem });
}

describe('a maximum age', () => {
  const at = (ms: number) => {
    clock.now = new Date(START.getTime() + ms);
  };

  it('ends a token that was made to live longer, whether it is remembered or not', async () => {
    const verifier = makeVerifier({ maxAgeSeconds: 100 });
    const [remembered, fresh] = [await makeToken(), await makeToken()];
    at(99_999);
    await expectAccepted(verifier, remembered);
    at(100_000);
    await expectRefused(verifier, remembered, 'TOKEN_EXPIRED');
    await expectRefused(verifier, fresh, 'TOKEN_EXPIRED');
  });

  it('lets no token live longer than it was made to', async () => {
    const verifier = makeVerifier({ maxAgeSeconds: 2 * TTL_SECONDS });
    const token = await makeToken();
    at(TTL_SECONDS * 1000 - 1);
    await expectAccepted(verifier, token);
    at(TTL_SECONDS * 1000);
    await expectRefused(verifier, token, 'TOKEN_EXPIRED');
  });

  it('refuses a token that does not say when it was made; without one it need not', async () => {
    const token = await makeToken({ hasIssuedAt: false });
    await expectRefused(makeVerifier({ maxAgeSeconds: 100 }), token, 'TOKEN_INVALID');
    await expectAccepted(makeVerifier(), token);
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
  ])('is rejected with TOKEN_INVALID beyond the limit: %s', async (_, options, limit) => {
    const [token, other] = [await makeToken(), await makeToken()];
    const verifier = makeVerifier(options);
    aheadOf(limit + 0.001);
    await expectRefused(verifier, token, 'TOKEN_INVALID');
    aheadOf(30 * 24 * 60 * 60);
    await expectRefused(verifier, token, 'TOKEN_INVALID');
    aheadOf(limit);
    await expectAccepted(verifier, token);
    await expectAccepted(verifier, other);
  });

  it('does not live longer by the default for iat: exp has no tolerance', async () => {
    const [token, verifier] = [await makeToken(), makeVerifier()];
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000);
    await expectRefused(verifier, token, 'TOKEN_EXPIRED');
  });

  it('is accepted if it has no iat', async () => {
    const token = await makeToken({ hasIssuedAt: false });
    aheadOf(1_000);
    await expectAccepted(makeVerifier(), token);
  });
});

describe('verifying at the same time', () => {
  it('looks the key up once for fifty who wait for one token', async () => {
    const verifier = makeVerifier();
    const token = await makeToken();
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
    expect(all.every(({ principal }) => principal?.userId === 'ada')).toBe(true);
    expect(lookUps).toBe(1);
  });

  it('looks the key up once for fifty who wait for one refusal', async () => {
    const verifier = makeVerifier();
    const token = await makeToken({ audience: 'other' });
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
    expect(new Set(all.map(({ problem }) => problem))).toEqual(new Set(['TOKEN_INVALID']));
    expect(lookUps).toBe(1);
  });

  it('keeps different tokens apart', async () => {
    const verifier = makeVerifier();
    const tokens = await Promise.all(Array.from({ length: 10 }, () => makeToken()));
    const all = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(new Set(all.map(({ principal }) => principal?.claims.jti)).size).toBe(10);
    expect(lookUps).toBe(10);
  });
});

describe('remembering', () => {
  it('serves a verified token without looking the key up again', async () => {
    const verifier = makeVerifier();
    const token = await makeToken();
    expect(verifier.cachedTokens).toBe(0);
    for (let i = 0; i < 3; i += 1) await expectAccepted(verifier, token);
    expect(lookUps).toBe(1);
    expect(verifier.cachedTokens).toBe(1);
  });

  it('ends with the token', async () => {
    const verifier = makeVerifier();
    const token = await makeToken();
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 - 1);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000);
    await expectRefused(verifier, token, 'TOKEN_EXPIRED');
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 1000);
    await expectRefused(verifier, token, 'TOKEN_EXPIRED');
    expect(lookUps).toBe(1); // whoever goes on sending it costs a look-up
  });

  it('allows for the clock tolerance and no more', async () => {
    const verifier = makeVerifier({ clockToleranceSeconds: 5 });
    const token = await makeToken();
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 4_999);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + TTL_SECONDS * 1000 + 5_000);
    await expectRefused(verifier, token, 'TOKEN_EXPIRED');
  });

  it('does not go on with a token whose key was withdrawn if the clock is put back', async () => {
    const withdrawn = { isIt: false };
    const verifier = makeVerifier({
      keys: async (header, token) => {
        if (withdrawn.isIt) throw new errors.JWKSNoMatchingKey();
        return keys(header, token);
      },
    });
    clock.now = new Date(START.getTime() + 60_000);
    const token = await makeToken();
    await expectAccepted(verifier, token);
    withdrawn.isIt = true;
    clock.now = new Date(START.getTime() + 59_000);
    await expectRefused(verifier, token, 'TOKEN_INVALID');
    clock.now = new Date(START.getTime() + 61_000);
    await expectRefused(verifier, token, 'TOKEN_INVALID');
  });

  it('ends after ten minutes, or a key could not be withdrawn', async () => {
    const withdrawn = { isIt: false };
    const verifier = makeVerifier({
      keys: async (header, token) => {
        if (withdrawn.isIt) throw new errors.JWKSNoMatchingKey();
        return keys(header, token);
      },
    });
    const token = await makeToken({ ttlSeconds: 86_400 });
    await expectAccepted(verifier, token);
    withdrawn.isIt = true;
    clock.now = new Date(START.getTime() + 599_999);
    await expectAccepted(verifier, token);
    clock.now = new Date(START.getTime() + 600_000);
    await expectRefused(verifier, token, 'TOKEN_INVALID');
  });

  it('gives each request what none of them can change', async () => {
    const verifier = makeVerifier();
    const verification = await verifier.verify(await makeToken());
    const { principal } = verification;
    if (principal === undefined) throw new Error('The token was refused');
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

  it('leaves refused tokens out', async () => {
    const verifier = makeVerifier({ maxCachedTokens: 1 });
    const good = await makeToken();
    await expectAccepted(verifier, good);
    const refused = await makeToken({ audience: 'other' });
    await expectRefused(verifier, refused, 'TOKEN_INVALID');
    await expectRefused(verifier, refused, 'TOKEN_INVALID');
    expect(lookUps).toBe(3);
    for (let i = 0; i < 100; i += 1) await expectRefused(verifier, `garbage${i}`, 'TOKEN_MALFORMED');
    await expectAccepted(verifier, good);
    expect(lookUps).toBe(3);
  });

  it('is bounded: the token used longest ago is verified afresh', async () => {
    const verifier = makeVerifier({ maxCachedTokens: 2 });
    const tokens = await Promise.all([makeToken(), makeToken(), makeToken()]);
    for (const token of tokens) await expectAccepted(verifier, token);
    expect(lookUps).toBe(3);
    const [oldest = '', , newest = ''] = tokens;
    await expectAccepted(verifier, newest);
    expect(lookUps).toBe(3);
    await expectAccepted(verifier, oldest);
    expect(lookUps).toBe(4);
  });

  it('is not filled by one token in many spellings', async () => {
    const verifier = makeVerifier({ maxCachedTokens: 20 });
    const [victim, token] = await Promise.all([makeToken(), makeToken()]);
    await expectAccepted(verifier, victim);
    for (let i = 1; i < 60; i += 1) await verifier.verify(`${token.slice(0, -i)} ${token.slice(-i)}`);
    const before = lookUps;
    await expectAccepted(verifier, victim);
    expect(lookUps).toBe(before);
  });
});

describe('keys that cannot be had', () => {
  /** A JWKS endpoint that answers as `listener` says, and how often it was asked. */
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
    ['nobody listens', (request) => request.socket.destroy()],
    ['the endpoint fails', (_, response) => response.writeHead(500).end()],
    ['the endpoint moved', (_, response) => response.writeHead(404).end()],
    ['the answer is no JSON', (_, response) => response.end('<html>')],
    ['the answer is no JWK Set', (_, response) => response.end('{"keys":"none"}')],
  ])('are KEYS_UNAVAILABLE where %s, and not remembered', async (_, failing) => {
    const set = await jwks();
    let isDown = true;
    await withEndpoint(
      (request, response) => (isDown ? failing(request, response) : response.end(set)),
      async (url) => {
        const verifier = makeVerifier({ keys: url });
        const token = await makeToken();
        await expectRefused(verifier, token, 'KEYS_UNAVAILABLE');
        isDown = false;
        await expectAccepted(verifier, token);
        isDown = true;
        await expectAccepted(verifier, token);
      },
    );
  });

  it.each<[string, () => Error]>([
    ['a failed fetch', () => new TypeError('fetch failed')],
    ["jose's own time-out", () => new errors.JWKSTimeout()],
    ["jose's own refusal of an answer", () => new errors.JOSEError('Expected 200 OK from the endpoint')],
  ])('are KEYS_UNAVAILABLE where an own look-up rejects with %s', async (_, fault) => {
    const verifier = makeVerifier({ keys: () => Promise.reject(fault()) });
    await expectRefused(verifier, await makeToken(), 'KEYS_UNAVAILABLE');
  });

  it('are not asked for a token that is none', async () => {
    const verifier = makeVerifier();
    for (const token of ['', 'a.b.c', 'garbage', 'x'.repeat(10_000)]) {
      await expectRefused(verifier, token, 'TOKEN_MALFORMED');
    }
    expect(lookUps).toBe(0);
  });

  it('are the token’s fault where the set is there and has no such key', async () => {
    await withEndpoint(
      (_, response) => response.end('{"keys":[]}'),
      async (url) => expectRefused(makeVerifier({ keys: url }), await makeToken(), 'TOKEN_INVALID'),
    );
  });
});

describe('a verifier', () => {
  it('demands the type of RFC 9068 unless told otherwise', async () => {
    const token = await makeToken({ typ: 'JWT' });
    await expectRefused(makeVerifier(), token, 'TOKEN_INVALID');
    await expectAccepted(makeVerifier({ type: 'JWT' }), token);
    await expectAccepted(makeVerifier({ type: null }), token);
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
    ['a clock tolerance that is no number', { clockToleranceSeconds: Number.NaN }],
  ])('is refused at start with %s', (_, options) => {
    expect(() => makeVerifier(options)).toThrow(ConfigError);
  });
});
