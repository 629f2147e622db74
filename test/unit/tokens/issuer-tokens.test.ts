// Tokens of other issuers: accepted and rejected tokens, ignored claims, and log lines.
import { createLocalJWKSet } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { createVerifier, type Verifier, type VerifierOptions } from '../../../src/index.ts';
import {
  createIssuerKey,
  createLines,
  ISSUER,
  type IssuerKey,
  signToken,
  toJwk,
} from '../../support/jwks-server.ts';

const NOW = new Date('2026-01-31T12:00:00.000Z');
const SECONDS = NOW.getTime() / 1000;

let key: IssuerKey;
beforeAll(async () => {
  key = await createIssuerKey('k1');
});

function openVerifier(options: Partial<VerifierOptions> = {}) {
  const { lines, log, clear } = createLines();
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: 'api',
    keys: async () => key.pair.publicKey,
    now: () => NOW,
    log,
    ...options,
  });
  return { verifier, lines, clear };
}
const sign = (claims: object = {}, header = {}) => signToken(key, { claims, header, now: NOW });
const keySet = async (...jwks: object[]) => createLocalJWKSet({ keys: jwks as { kty: string }[] }); // JWKs have one
async function accept(verifier: Verifier, token: string) {
  const { principal, problem } = await verifier.verify(token);
  if (principal === undefined) throw new Error(`The token was rejected: ${problem}`);
  return principal;
}

describe('a claim of the wrong type', () => {
  const NOTHING = { sessionId: '', roles: [], scopes: [], authenticatedAt: 0 };
  it.each<[string, object, string]>([
    ['scope', { scope: ['read'] }, 'a list'],
    ['scope', { scope: 5 }, 'a number'],
    ['scope', { scope: null }, 'null'],
    ['scope', { scope: { read: true } }, 'an object'],
    ['roles', { roles: 'admin' }, 'a string'],
    ['roles', { roles: [1] }, 'a list with a number'],
    ['roles', { roles: ['admin', 1] }, 'a list with a number'],
    ['roles', { roles: ['admin', null] }, 'a list with null'],
    ['roles', { roles: ['admin', ['x']] }, 'a list with a list'],
    ['roles', { roles: { admin: true } }, 'an object'],
    ['roles', { roles: null }, 'null'],
    ['auth_time', { auth_time: 'x' }, 'a string'],
    ['auth_time', { auth_time: String(SECONDS) }, 'a string'],
    ['auth_time', { auth_time: null }, 'null'],
    ['auth_time', { auth_time: true }, 'a boolean'],
    ['auth_time', { auth_time: 1e300 }, 'a number'],
    ['auth_time', { auth_time: SECONDS + 6 }, 'a time in the future'],
    ['sid', { sid: 7 }, 'a number'],
    ['sid', { sid: ['s'] }, 'a list'],
    ['jti', { jti: 7 }, 'a number'],
    ['client_id', { client_id: ['c'] }, 'a list'],
  ])('%s, if optional, is ignored with a warning: %j', async (claim, claims, found) => {
    const { verifier, lines } = openVerifier();
    const { sessionId, roles, scopes, authenticatedAt, userId } = await accept(verifier, await sign(claims));
    expect(userId).toBe('ada');
    expect({
      sessionId,
      roles: [...roles],
      scopes: [...scopes],
      authenticatedAt: authenticatedAt.getTime(),
    }).toEqual(NOTHING);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'claim of a token ignored: wrong type',
        claim,
        found,
      }),
    ]);
  });

  it('leaves valid claims of the same token in effect', async () => {
    const { verifier } = openVerifier();
    const claims = { roles: 'admin', scope: 'read write', sid: 's1', auth_time: SECONDS - 5 };
    const principal = await accept(verifier, await sign(claims));
    expect([...principal.roles]).toEqual([]);
    expect([...principal.scopes]).toEqual(['read', 'write']);
    expect(principal.sessionId).toBe('s1');
    expect(principal.authenticatedAt.getTime()).toBe(NOW.getTime() - 5_000);
  });

  it('rejects the token if access or validity depends on the claim', async () => {
    for (const claims of [
      { sub: 7 },
      { sub: '' },
      { exp: String(SECONDS + 60) },
      { nbf: '0' },
      { iat: 'x' },
      { iss: [ISSUER] },
      { aud: [['api']] },
    ]) {
      const { verifier, lines } = openVerifier();
      expect((await verifier.verify(await sign(claims))).problem).toBe('TOKEN_INVALID');
      expect(lines).toHaveLength(1);
    }
  });
});

describe('the cause of a rejected token', () => {
  type Line = { level: string; message: string; [field: string]: unknown };
  it.each<[string, () => Promise<string>, Line]>([
    [
      'the issuer without its trailing slash',
      () => sign({ iss: ISSUER.slice(0, -1) }),
      {
        level: 'warn',
        message: 'token rejected: issuer differs in its trailing slash',
        expected: ISSUER,
        found: 'https://issuer.example',
      },
    ],
    [
      'another issuer',
      () => sign({ iss: 'https://other.example' }),
      {
        level: 'warn',
        message: 'token rejected: wrong issuer',
        expected: ISSUER,
        found: 'https://other.example',
      },
    ],
    [
      'no issuer',
      () => sign({ iss: undefined }),
      { level: 'warn', message: 'token rejected: wrong issuer', found: 'absent' },
    ],
    [
      'another audience',
      () => sign({ aud: ['x', 'y'] }),
      { level: 'warn', message: 'token rejected: wrong audience', expected: 'api', found: ['x', 'y'] },
    ],
    [
      'no audience',
      () => sign({ aud: undefined, client_id: 'c' }),
      { level: 'warn', message: 'token rejected: wrong audience', expected: 'api', found: 'absent' },
    ],
    [
      'another type',
      () => sign({}, { typ: 'JWT' }),
      { level: 'warn', message: 'token rejected: wrong type (typ)', expected: 'at+jwt', found: 'JWT' },
    ],
    [
      'another algorithm',
      async () => {
        const [, claims, signature] = (await sign()).split('.');
        const header = Buffer.from('{"alg":"HS256","typ":"at+jwt"}').toString('base64url');
        return [header, claims, signature].join('.');
      },
      {
        level: 'warn',
        message: 'token rejected: algorithm not accepted',
        expected: ['EdDSA'],
        found: 'HS256',
      },
    ],
    [
      'a start in the future',
      () => sign({ nbf: SECONDS + 30 }),
      {
        level: 'warn',
        message: 'token rejected: not valid yet; clocks may differ',
        claim: 'nbf',
        aheadSeconds: 30,
      },
    ],
    [
      'an issue in the future',
      () => sign({ iat: SECONDS + 30 }),
      {
        level: 'warn',
        message: 'token rejected: not valid yet; clocks may differ',
        claim: 'iat',
        aheadSeconds: 30,
      },
    ],
    [
      'no expiry',
      () => sign({ exp: undefined }),
      { level: 'warn', message: 'token rejected: required claim missing or of the wrong type', claim: 'exp' },
    ],
    [
      'a subject that is a number',
      () => sign({ sub: 7 }),
      { level: 'warn', message: 'token rejected: required claim missing or of the wrong type', claim: 'sub' },
    ],
    [
      'a forged signature',
      async () => signToken({ ...(await createIssuerKey('k1')) }, { now: NOW }),
      { level: 'debug', message: 'token rejected: signature does not match the key', kid: 'k1' },
    ],
    [
      'an expired token',
      () => sign({ exp: SECONDS - 60 }),
      { level: 'debug', message: 'token rejected: expired', exp: '2026-01-31T11:59:00.000Z' },
    ],
    [
      'a text that is not a token',
      async () => 'garbage',
      { level: 'debug', message: 'token rejected: not a JWT' },
    ],
    [
      'a header that carries a key',
      () => sign({}, { jku: 'https://evil.example' }),
      {
        level: 'debug',
        message: 'token rejected: header not acceptable',
        reason: 'the header carries a key: jku',
      },
    ],
    [
      'a signature in another spelling',
      async () => `${(await sign()).slice(0, -1)}_`,
      { level: 'debug', message: 'token rejected: signature is not in canonical base64url' },
    ],
  ])('appears in the log: %s', async (_, make, line) => {
    const { verifier, lines } = openVerifier();
    const token = await make();
    expect((await verifier.verify(token)).principal).toBeUndefined();
    expect(lines).toEqual([expect.objectContaining(line)]);
    const text = JSON.stringify(lines);
    for (const part of token.split('.')) expect(text).not.toContain(part.length > 20 ? part : 'eyJ');
    expect(text).not.toContain('ada');
  });

  it('appears in the log for a token that expires in the cache', async () => {
    const clock = { now: NOW };
    const { verifier, lines } = openVerifier({ now: () => clock.now });
    const token = await sign();
    await accept(verifier, token);
    clock.now = new Date(NOW.getTime() + 600_000);
    expect(verifier.getCached(token)).toEqual({ principal: undefined, problem: 'TOKEN_EXPIRED' });
    expect(lines).toEqual([expect.objectContaining({ level: 'debug', message: 'token rejected: expired' })]);
  });

  it('shows values of the token cut and escaped', async () => {
    const { verifier, lines } = openVerifier({ keys: await keySet(await toJwk(key)) });
    await verifier.verify(await sign({}, { kid: `\u001b[2J\r\n${'x'.repeat(5_000)}\u202e` }));
    const [line] = lines;
    expect(line).toMatchObject({
      level: 'warn',
      message: 'token rejected: no signing key matches its header',
    });
    const { kid } = (line as unknown as { found: { kid: string } }).found; // of such a line
    expect(kid.length).toBeLessThan(200);
    expect(kid).toMatch(/^\\u\{1b\}\[2J\\u\{d\}\\u\{a\}x+…$/);
  });

  it.each<[string, (error: Error) => void]>([
    ['contains itself', (error) => Object.assign(error, { request: { error } })],
    ['has a bigint', (error) => Object.assign(error, { size: 1n })],
    ['has a toJSON that throws', (error) => Object.assign(error, { toJSON: () => JSON.parse('') })],
  ])('stays loggable if an error of the key function %s', async (_, spoil) => {
    const error = new Error('connection lost');
    spoil(error);
    const { verifier, lines } = openVerifier({ keys: () => Promise.reject(error) });
    expect(await verifier.verify(await sign())).toMatchObject({ problem: 'KEYS_UNAVAILABLE' });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'warn', message: 'signing keys cannot be fetched', err: error }),
    ]);
  });

  it('changes no decision if the logger throws', async () => {
    const throws = () => {
      throw new Error('disk full');
    };
    const { verifier } = openVerifier({ log: { debug: throws, warn: throws } });
    expect(await verifier.verify('garbage')).toMatchObject({ problem: 'TOKEN_MALFORMED' });
    expect((await accept(verifier, await sign({ roles: 'admin' }))).userId).toBe('ada');
  });
});

describe('the algorithms', () => {
  const ALL = [
    ...['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512'],
    ...['PS256', 'PS384', 'PS512', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
  ] as NonNullable<VerifierOptions['algorithms']>[number][];
  it.each(ALL)('%s is accepted if it is listed, and only then', async (alg) => {
    const own = await createIssuerKey('own', alg);
    const token = await signToken(own, { now: NOW });
    const keys = await keySet(await toJwk(own));
    await accept(openVerifier({ algorithms: [alg], keys }).verifier, token);
    const others = ALL.filter((other) => other !== alg);
    const { verifier } = openVerifier({ algorithms: others, keys });
    expect(await verifier.verify(token)).toMatchObject({ problem: 'TOKEN_INVALID' });
  });

  it.each(['Ed25519', 'EdDSA'])('a key without alg verifies %s if both names are listed', async (alg) => {
    const own = { ...key, alg };
    const keys = await keySet(await toJwk(key, { alg: undefined }));
    const { verifier } = openVerifier({ algorithms: ['EdDSA', 'Ed25519'], keys });
    await accept(verifier, await signToken(own, { now: NOW }));
  });

  it.each(['HS256', 'HS384', 'HS512', 'none', 'None', 'ed25519', 'RSA1_5', 'dir', '', undefined])(
    '%j cannot be listed',
    (alg) => {
      const algorithms = ['RS256', alg] as VerifierOptions['algorithms']; // wrong on purpose
      expect(() => openVerifier({ algorithms })).toThrow(
        /^algorithms: must be a list of some of EdDSA, Ed25519, /,
      );
    },
  );
});

describe('a JWK Set with several keys that match', () => {
  it('verifies with each key until one matches', async () => {
    const [other, third] = [await createIssuerKey('k1'), await createIssuerKey('k1')];
    const jwk = await toJwk(key);
    const [a, b] = [await toJwk(other), await toJwk(third)];
    const without = { kid: undefined, alg: undefined };
    const sets: [string, object[], object][] = [
      ['the same key twice', [jwk, jwk], {}],
      ['one kid for three keys', [a, b, jwk], {}],
      ['a token without kid', [a, b, jwk], { kid: undefined }],
      [
        'keys without kid and alg',
        [await toJwk(other, without), await toJwk(key, without)],
        { kid: undefined },
      ],
      ['a key that cannot be used beside it', [{ ...jwk, x: 'AAAA' }, jwk], {}],
    ];
    for (const [, jwks, header] of sets) {
      const { verifier } = openVerifier({ keys: await keySet(...jwks) });
      await accept(verifier, await sign({}, header));
    }
  });

  it('rejects a token that no key signed, and one with an invalid claim', async () => {
    const [other, forger] = [await createIssuerKey('k1'), await createIssuerKey('k1')];
    const { verifier, lines } = openVerifier({ keys: await keySet(await toJwk(key), await toJwk(other)) });
    const forged = await signToken(forger, { now: NOW });
    expect((await verifier.verify(forged)).problem).toBe('TOKEN_INVALID');
    expect((await verifier.verify(await sign({ aud: 'x' }))).problem).toBe('TOKEN_INVALID');
    expect((await verifier.verify(await sign({ exp: 1 }))).problem).toBe('TOKEN_EXPIRED');
    expect(lines.map(({ cause }) => cause)).toEqual(['SIGNATURE', 'AUDIENCE', 'EXPIRED']);
  });

  it('tries at most ten keys', async () => {
    const others = await Promise.all(Array.from({ length: 10 }, () => createIssuerKey('k1')));
    const jwks = await Promise.all(others.map((one) => toJwk(one)));
    const last = openVerifier({ keys: await keySet(...jwks, await toJwk(key)) });
    expect((await last.verifier.verify(await sign())).problem).toBe('TOKEN_INVALID');
    const tenth = openVerifier({ keys: await keySet(...jwks.slice(1), await toJwk(key)) });
    await accept(tenth.verifier, await sign());
  });
});

describe('the clock tolerance', () => {
  const after = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
  it.each([0, 6, 300])('applies to exp, nbf and iat alike: %d s', async (clockToleranceSeconds) => {
    for (const [claims, direction] of [
      [{ iat: 0, exp: SECONDS }, 1],
      [{ iat: 0, nbf: SECONDS, exp: SECONDS + 1e6 }, -1],
      [{ iat: SECONDS, exp: SECONDS + 1e6 }, -1],
    ] as const) {
      const token = await sign(claims);
      const problemAt = async (seconds: number) => {
        const now = () => after(direction * seconds);
        return (await openVerifier({ clockToleranceSeconds, now }).verifier.verify(token)).problem;
      };
      expect(await problemAt(clockToleranceSeconds + 1)).toMatch(/^TOKEN_(EXPIRED|INVALID)$/);
      expect(await problemAt(clockToleranceSeconds - 1)).toBeUndefined();
    }
  });

  it.each([-1, 301, Number.NaN, Infinity, '5', null])('rejects %j as a number of seconds', (value) => {
    const clockToleranceSeconds = value as number; // wrong on purpose
    expect(() => openVerifier({ clockToleranceSeconds })).toThrow(
      'clockToleranceSeconds: must be a number from 0 to 300',
    );
  });
});

describe('the options of createVerifier', () => {
  it.each<[string, object, string]>([
    ['an option of a later version', { mapClaims: () => null }, 'mapClaims: is not a known option'],
    ['a misspelt option', { algorithm: ['RS256'] }, 'algorithm: is not a known option'],
    ['no audience', { audience: undefined }, 'audience: is required'],
    ['any audience', { audience: null }, 'audience: must be a non-empty string'],
    ['an empty list of audiences', { audience: [] }, 'audience: must be a non-empty string'],
    ['an issuer that is a URL object', { issuer: new URL(ISSUER) }, 'issuer: must be a non-empty string'],
    ['a type that is empty', { type: '' }, 'type: must be a non-empty string'],
    ['keys that are a text', { keys: 'https://issuer.example/jwks.json' }, 'keys: must be a URL object'],
    ['no keys', { keys: undefined }, 'keys: is required'],
    ['keys over http', { keys: new URL('http://issuer.example/jwks.json') }, 'keys: must be a URL object'],
    ['keys in a file', { keys: new URL('file:///etc/jwks.json') }, 'keys: must be a URL object'],
    ['keys at a name that looks local', { keys: new URL('http://localhost.evil.example/') }, 'keys: must'],
    ['keys at a number that looks local', { keys: new URL('http://127.0.0.1.evil.example/') }, 'keys: must'],
    [
      'keys with a password',
      { keys: new URL('https://a:s3cret@issuer.example/') },
      'keys: must be a URL object',
    ],
    ['a key age of nothing', { maxKeyAgeSeconds: 0 }, 'maxKeyAgeSeconds: must be a number from 1'],
    ['a key age without end', { maxKeyAgeSeconds: Infinity }, 'maxKeyAgeSeconds: must be a number from 1'],
    ['a cache without bound', { maxCachedTokens: 0 }, 'maxCachedTokens: must be a whole number from 1'],
    ['a part of a logger', { log: { warn() {} } }, 'log: must have the methods debug and warn'],
  ])('reject %s', (_, options, message) => {
    const open = () => openVerifier(options as Partial<VerifierOptions>); // wrong on purpose
    expect(open).toThrow(ConfigError);
    expect(open).toThrow(message);
    expect(open).not.toThrow('s3cret');
  });

  it.each([
    'https://issuer.example/',
    'http://127.0.0.1:1/',
    'http://localhost/',
    'http://[::1]:1/',
    'http://a.localhost/',
  ])('accept keys at %s', (url) => {
    expect(() => openVerifier({ keys: new URL(url) })).not.toThrow();
  });

  it.each([undefined, null, 'https://issuer.example/'])('reject %j instead of an object', (options) => {
    const open = () => createVerifier(options as unknown as VerifierOptions); // wrong on purpose
    expect(open).toThrow(expect.objectContaining({ name: 'ConfigError' }));
  });

  it('accept several audiences', async () => {
    const { verifier } = openVerifier({ audience: ['web', 'api'] });
    await accept(verifier, await sign());
    expect((await verifier.verify(await sign({ aud: 'other' }))).problem).toBe('TOKEN_INVALID');
  });
});
