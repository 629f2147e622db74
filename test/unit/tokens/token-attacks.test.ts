// Forged and invalid tokens over HTTP: the server rejects each, and none blocks a public field.
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import {
  GOOD_PASSWORD,
  type GraphQLResponse,
  register,
  type SignedIn,
  startTestServer,
  TEST_SECRET,
  type TestServer,
} from '../../support/test-server.ts';

type Json = Record<string, unknown>;

const LOGIN = `mutation ($email: String!) { login(email: $email, password: "${GOOD_PASSWORD}") { tokenType } }`;

let server: TestServer;
let ada: SignedIn;
/** The header and claims of a token that the server accepts, and the key it signs with. */
let header: Json;
let claims: Json;
let realKey: KeyObject;
let publicJwk: Json;
let now: number;
const attacker = generateKeyPairSync('ed25519');
const attackerJwk = attacker.publicKey.export({ format: 'jwk' });

beforeAll(async () => {
  server = await startTestServer();
  ada = await register(server.url);
  const [row] = await server.bandha.store.listSigningKeys();
  if (row === undefined) throw new Error('There is no signing key');
  const plaintext = createSecrets(TEST_SECRET).open(row.sealedPrivateJwk, row.kid);
  realKey = createPrivateKey({ key: JSON.parse(plaintext ?? ''), format: 'jwk' });
  publicJwk = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()).keys[0];
  header = { alg: 'EdDSA', typ: 'at+jwt', kid: row.kid };
  claims = { ...decodeJwt(ada.accessToken) };
  now = Math.floor(server.clock.now.getTime() / 1000);
});
afterAll(() => server.close());

// Signed without jose, which would not create most of these tokens.
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function jws(head: unknown, payload: unknown, signWith: (input: Buffer) => Buffer | string): string {
  const input = `${encode(head)}.${encode(payload)}`;
  return `${input}.${Buffer.from(signWith(Buffer.from(input))).toString('base64url')}`;
}
const by = (key: KeyObject) => (input: Buffer) => sign(null, input, key);
const byReal = (input: Buffer) => sign(null, input, realKey);
const hmac = (key: string | Buffer) => (input: Buffer) => createHmac('sha256', key).update(input).digest();
const without = (object: Json, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
const withHeader = (change: Json) => jws({ ...header, ...change }, claims, byReal);
const withClaims = (change: Json) => jws(header, { ...claims, ...change }, byReal);
/** Replaces parts of Ada's token. */
function spliced(change: {
  header?: Json;
  claims?: Json;
  signature?: (signature: string) => string;
}): string {
  const [head, payload, signature = ''] = ada.accessToken.split('.');
  return [
    change.header ? encode({ ...header, ...change.header }) : head,
    change.claims ? encode({ ...claims, ...change.claims }) : payload,
    change.signature ? change.signature(signature) : signature,
  ].join('.');
}

function querySecured(authorization?: string): Promise<GraphQLResponse> {
  return server.send('{ secureData { message } }', { headers: authorization ? { authorization } : {} });
}
function expectRejected({ status, headers, body }: GraphQLResponse, reason: string): void {
  expect({ status, extensions: body.errors?.[0].extensions }).toEqual({
    status: 401,
    extensions: { code: 'UNAUTHENTICATED', reason, coordinate: 'Query.secureData' },
  });
  expect(body).not.toHaveProperty('data');
  expect(body.errors).toHaveLength(1);
  const challenge = headers.get('www-authenticate');
  if (reason === 'MISSING_TOKEN') expect(challenge).toBe('Bearer realm="bandha"');
  // RFC 6750, section 3: no control characters, quotes or backslashes in the description.
  else
    expect(challenge).toMatch(
      /^Bearer realm="bandha", error="invalid_token", error_description="[ !#-[\]-~]+"$/,
    );
}
/** The response reveals nothing of the token, which blocks neither a public field nor signing in. */
async function expectHarmless(authorization: string, rejection: GraphQLResponse): Promise<void> {
  const text = JSON.stringify([rejection.body, [...rejection.headers]]);
  const parts = authorization.split(/[^\w-]+/).filter((part) => part.length > 3 && part !== 'Bearer');
  for (const part of parts) expect(text).not.toContain(part);
  const headers = { authorization };
  const viewer = await server.send('{ viewer { id } }', { headers });
  expect(viewer).toMatchObject({ status: 200, body: { data: { viewer: null } } });
  expect(viewer.body).not.toHaveProperty('errors');
  const { body } = await server.send(LOGIN, { headers, variables: { email: ada.user.email } });
  expect(body).toEqual({ data: { login: { tokenType: 'Bearer' } } });
}

function describeRejections(
  title: string,
  reason: string,
  section: string,
  tokens: Record<string, () => string>,
): void {
  describe(title, () => {
    it.each(Object.entries(tokens))(`MUST be rejected with ${reason} (${section}): %s`, async (_, make) => {
      const authorization = `Bearer ${make()}`.trim();
      const response = await querySecured(authorization);
      expectRejected(response, reason);
      await expectHarmless(authorization, response);
    });
  });
}

describe('the helper of these tests', () => {
  it.each<[string, () => string]>([
    ['unchanged', () => withClaims({})],
    ['with the audience in a list', () => withClaims({ aud: ['other', 'bandha'] })],
    ['that becomes valid this second', () => withClaims({ nbf: now })],
    ['in its last second', () => withClaims({ exp: now + 1 })],
    ['with the full media type (RFC 9068, section 4)', () => withHeader({ typ: 'application/at+jwt' })],
  ])('creates a token that the server accepts: %s', async (_, make) => {
    expect((await querySecured(`Bearer ${make()}`)).body.data?.secureData.message).toBe(
      'Secure data access granted',
    );
  });
});

describe('the Authorization scheme', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'MUST be accepted in any case (RFC 9110, 11.1): %s',
    async (scheme) => {
      expect((await querySecured(`${scheme} ${ada.accessToken}`)).status).toBe(200);
    },
  );

  it.each<[string, () => string]>([
    ['no header', () => ''],
    ['Basic', () => `Basic ${ada.accessToken}`],
    ['DPoP', () => `DPoP ${ada.accessToken}`],
    ['no scheme', () => ada.accessToken],
    ['Bearer without a space', () => `Bearer${ada.accessToken}`],
    ['Bearer further on', () => `Basic, Bearer ${ada.accessToken}`],
  ])('counts as no token: %s', async (_, make) => {
    const response = await querySecured(make());
    expectRejected(response, 'MISSING_TOKEN');
    await expectHarmless(make(), response);
  });

  it('accepts no token from the query or a cookie', async () => {
    const query = new URLSearchParams({ query: '{ secureData { message } }', access_token: ada.accessToken });
    const { status } = await fetch(`${server.url}/graphql?${query}`, {
      headers: { cookie: `access_token=${ada.accessToken}` },
    });
    expect(status).toBe(401);
  });
});

describeRejections('malformed tokens', 'TOKEN_MALFORMED', 'RFC 7519, 7.2', {
  'the scheme alone': () => '',
  'one word': () => 'garbage',
  'three words': () => 'abcdef.ghijkl.mnopqr',
  'three letters': () => 'a.b.c',
  'nothing but dots': () => '..',
  'two parts': () => ada.accessToken.split('.').slice(0, 2).join('.'),
  'four parts': () => `${ada.accessToken}.c2ln`,
  'five parts': () => 'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn',
  'very long garbage': () => 'garbage'.repeat(1_500),
  'very many parts': () => 'ab.'.repeat(3_000),
  'a refresh token': () => ada.refreshToken,
  'a token with more behind it': () => `${ada.accessToken} more`,
  'a token in quotes': () => `"${ada.accessToken}"`,
  'a signature with padding': () => `${ada.accessToken}==`,
  'a signature with a space inside': () =>
    spliced({ signature: (text) => `${text.slice(0, 40)} ${text.slice(40)}` }),
  'a signature with a tab inside': () =>
    spliced({ signature: (text) => `${text.slice(0, 40)}\t${text.slice(40)}` }),
  'a header that is a list': () => jws([], claims, byReal),
  'a header that is null': () => jws(null, claims, byReal),
  'claims that are a list': () => jws(header, [], byReal),
  'claims that are a string': () => jws(header, 'claims', byReal),
});

describeRejections('unsigned tokens', 'TOKEN_INVALID', 'RFC 9068, 4', {
  'alg none': () => jws({ ...header, alg: 'none' }, claims, () => ''),
  'alg none in another case': () => jws({ ...header, alg: 'nOnE' }, claims, () => ''),
  'alg none with a signature': () => jws({ ...header, alg: 'none' }, claims, byReal),
  'alg none without a kid': () => jws({ alg: 'none', typ: 'at+jwt' }, claims, () => ''),
  'no alg': () => jws(without(header, 'alg'), claims, byReal),
  'an empty signature': () => spliced({ signature: () => '' }),
});

const HS256 = (key: () => string | Buffer) => () =>
  jws({ ...header, alg: 'HS256' }, claims, (input) => hmac(key())(input));
const spki = () => createPublicKey({ key: publicJwk, format: 'jwk' });
const pem = () => String(spki().export({ type: 'spki', format: 'pem' }));
describeRejections('tokens signed with a public key as a secret', 'TOKEN_INVALID', 'RFC 8725, 3.1', {
  'its raw bytes': HS256(() => Buffer.from(String(publicJwk.x), 'base64url')),
  'its base64url': HS256(() => String(publicJwk.x)),
  'its PEM': HS256(pem),
  'its PEM, trimmed': HS256(() => pem().trim()),
  'its DER': HS256(() => spki().export({ type: 'spki', format: 'der' })),
  'its JWK': HS256(() => JSON.stringify(publicJwk)),
  'an empty key': HS256(() => ''),
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
describeRejections('tokens signed with another key', 'TOKEN_INVALID', 'RFC 9068, 4', {
  'the same kid': () => jws(header, claims, by(attacker.privateKey)),
  'an unknown kid': () => jws({ ...header, kid: 'unknown' }, claims, by(attacker.privateKey)),
  'an unknown kid and the real key': () => withHeader({ kid: 'unknown' }),
  'no kid': () => jws(without(header, 'kid'), claims, by(attacker.privateKey)),
  'no kid and the real key': () => jws(without(header, 'kid'), claims, byReal),
  'a kid that is a path': () => jws({ ...header, kid: '../../../dev/null' }, claims, by(attacker.privateKey)),
  'a kid that every object inherits': () => withHeader({ kid: 'constructor' }),
  'a kid that is a list': () => withHeader({ kid: [header.kid] }),
  'RS256 and the same kid': () =>
    jws({ ...header, alg: 'RS256' }, claims, (input) => sign('sha256', input, rsa.privateKey)),
  'ES256 and the same kid': () =>
    jws({ ...header, alg: 'ES256' }, claims, (input) =>
      sign('sha256', input, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
  'ES256 and a signature of zeros (CVE-2022-21449)': () =>
    jws({ ...header, alg: 'ES256' }, claims, () => Buffer.alloc(64)),
  'the real key by another name of its algorithm': () => withHeader({ alg: 'Ed25519' }),
});

describeRejections('tampered tokens', 'TOKEN_INVALID', 'RFC 9068, 4', {
  'another role': () => spliced({ claims: { roles: ['admin'] } }),
  'another user': () => spliced({ claims: { sub: crypto.randomUUID() } }),
  'a later exp': () => spliced({ claims: { exp: now + 1e6 } }),
  'an exp in the past': () => spliced({ claims: { exp: 1 } }),
  'another kid': () => spliced({ header: { kid: 'other' } }),
  'another alg': () => spliced({ header: { alg: 'RS256' } }),
  'one more header': () => spliced({ header: { cty: 'JWT' } }),
  'half a signature': () => spliced({ signature: (text) => text.slice(0, 43) }),
  'a signature without its last byte': () => spliced({ signature: (text) => text.slice(0, -2) }),
  'a longer signature': () => spliced({ signature: (text) => `${text.slice(0, -1)}AAAA` }),
  'a signature of zeros': () => spliced({ signature: () => Buffer.alloc(64).toString('base64url') }),
  'the signature of another token': () =>
    spliced({ signature: () => withClaims({ jti: 'other' }).split('.')[2] ?? '' }),
});

describeRejections('tokens of the real key for something else', 'TOKEN_INVALID', 'RFC 9068, 4', {
  'another issuer': () => withClaims({ iss: 'https://attacker.example' }),
  'the issuer with a slash': () => withClaims({ iss: `${claims.iss}/` }),
  'issuers in a list': () => withClaims({ iss: [claims.iss] }),
  'no issuer': () => jws(header, without(claims, 'iss'), byReal),
  'another audience': () => withClaims({ aud: 'other' }),
  'other audiences in a list': () => withClaims({ aud: ['other', 'bandha2'] }),
  'no audience': () => jws(header, without(claims, 'aud'), byReal),
  'typ JWT': () => withHeader({ typ: 'JWT' }),
  'typ of an ID token': () => withHeader({ typ: 'id_token+jwt' }),
  'no typ': () => jws(without(header, 'typ'), claims, byReal),
  'a typ that is a number': () => withHeader({ typ: 1 }),
  'not yet valid': () => withClaims({ nbf: now + 1 }),
});

describeRejections(
  'tokens of the real key with missing or invalid claims',
  'TOKEN_INVALID',
  'RFC 9068, 2.2',
  {
    'no exp': () => jws(header, without(claims, 'exp'), byReal),
    'exp a string': () => withClaims({ exp: String(now + 60) }),
    'exp null': () => withClaims({ exp: null }),
    'nbf a string': () => withClaims({ nbf: '0' }),
    'no sub': () => jws(header, without(claims, 'sub'), byReal),
    'sub empty': () => withClaims({ sub: '' }),
    'sub a number': () => withClaims({ sub: 1 }),
    'sub a list': () => withClaims({ sub: [ada.user.id] }),
    'sid a number': () => withClaims({ sid: 1 }),
    'sid null': () => withClaims({ sid: null }),
    'roles a string': () => withClaims({ roles: 'admin' }),
    'roles an object': () => withClaims({ roles: { admin: true } }),
    'roles of numbers': () => withClaims({ roles: ['user', 1] }),
    'scope a number': () => withClaims({ scope: 1 }),
    'scope a list': () => withClaims({ scope: ['read'] }),
    'auth_time a string': () => withClaims({ auth_time: String(now) }),
    'auth_time null': () => withClaims({ auth_time: null }),
  },
);

describeRejections('expired tokens', 'TOKEN_EXPIRED', 'RFC 7519, 4.1.4', {
  'by a second': () => withClaims({ exp: now - 1 }),
  exactly: () => withClaims({ exp: now }),
  'by far': () => withClaims({ exp: 1 }),
  negative: () => withClaims({ exp: -1 }),
});

describeRejections('tokens with critical headers', 'TOKEN_INVALID', 'RFC 7515, 4.1.11', {
  'crit unknown': () => withHeader({ crit: ['urn:example:x'], 'urn:example:x': 1 }),
  'crit of a registered parameter': () => withHeader({ crit: ['kid'] }),
  'crit empty': () => withHeader({ crit: [] }),
  'crit not a list': () => withHeader({ crit: 'exp' }),
  'crit b64': () => withHeader({ crit: ['b64'], b64: false }),
});

describe('tokens that carry a key', () => {
  it.each(['jku', 'jwk', 'x5u', 'x5c'])(
    'MUST be rejected without using %s (RFC 8725, 3.10)',
    async (name) => {
      let requests = 0;
      const host = createServer((_, response) => {
        requests += 1;
        response.end(JSON.stringify({ keys: [{ ...attackerJwk, kid: header.kid }] }));
      }).listen(0, '127.0.0.1');
      await once(host, 'listening');
      const { port } = host.address() as AddressInfo; // a TCP server that listens has one
      const url = `http://127.0.0.1:${port}/jwks.json`;
      const value = { jku: url, jwk: attackerJwk, x5u: url, x5c: ['MIIB'] }[name];
      try {
        for (const [head, key] of [
          [{ ...header, [name]: value }, attacker.privateKey],
          [{ ...without(header, 'kid'), [name]: value }, attacker.privateKey],
          [{ ...header, kid: 'theirs', [name]: value }, attacker.privateKey],
          [{ ...header, [name]: value }, realKey],
          [{ ...header, [name]: null }, realKey],
        ] as const) {
          const authorization = `Bearer ${jws(head, claims, by(key))}`;
          const response = await querySecured(authorization);
          expectRejected(response, 'TOKEN_INVALID');
          await expectHarmless(authorization, response);
        }
        expect(requests).toBe(0);
      } finally {
        host.close();
      }
    },
  );
});

describe('a token in use', () => {
  it('expires at exp, although it was verified before', async () => {
    const local = await startTestServer();
    try {
      const { accessToken: token } = await register(local.url);
      const secured = () => local.send('{ secureData { message } }', { token });
      const end = (decodeJwt(token).exp ?? 0) * 1000;
      expect((await secured()).status).toBe(200);
      local.clock.now = new Date(end - 1);
      expect((await secured()).status).toBe(200);
      local.clock.now = new Date(end);
      expectRejected(await secured(), 'TOKEN_EXPIRED');
      local.clock.now = new Date(end - 1000);
      expect((await secured()).status).toBe(200);
    } finally {
      await local.close();
    }
  });

  it('loses all its spellings at logout', async () => {
    const { accessToken } = await register(server.url);
    const [head, payload, signature = ''] = accessToken.split('.');
    // Decoders ignore 4 bits of the last character of a 64-byte signature.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet[alphabet.indexOf(signature.slice(-1)) + 1];
    const respelt = [head, payload, signature.slice(0, -1) + last].join('.');
    await querySecured(`Bearer ${respelt}`); // cached, if it is accepted at all
    await server.send('mutation { logout }', { token: accessToken });
    expectRejected(await querySecured(`Bearer ${accessToken}`), 'TOKEN_REVOKED');
    const { status, body } = await querySecured(`Bearer ${respelt}`);
    expect(status).toBe(401);
    expect(body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});
