// Checks the log about rejected tokens of the server: the cause, on the fast path and on the Yoga handler, and no secrets.
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { createLines } from '../../support/jwks-server.ts';
import { register, startTestServer, TEST_SECRET, type TestServer } from '../../support/test-server.ts';

const { lines, log, clear } = createLines();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ log });
});
afterAll(() => server.close());
beforeEach(clear);

const SECURED = '{ secureData { message } }';
const causes = () =>
  lines.filter(({ message }) => message.startsWith('token')).map(({ level, cause }) => ({ level, cause }));

describe('the log of a rejected token', () => {
  it('logs the revoked session and the user of a token at debug level', async () => {
    const { accessToken, user } = await register(server.url);
    await server.send('mutation { logout }', { token: accessToken });
    clear();
    const { body } = await server.send(SECURED, { token: accessToken });
    expect(body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    expect(lines).toContainEqual({
      level: 'debug',
      message: 'token rejected: session revoked',
      cause: 'REVOKED',
      issuer: 'http://localhost:4000',
      userId: user.id,
      sessionId: decodeJwt(accessToken).sid,
    });
  });

  it('logs the same cause on the Yoga handler', async () => {
    const query = new URLSearchParams({ query: SECURED });
    const headers = { authorization: 'Bearer garbage', accept: 'application/json' };
    expect((await fetch(`${server.url}/graphql?${query}`, { headers })).status).toBe(401);
    expect(causes()).toEqual([{ level: 'debug', cause: 'NOT_A_JWT' }]);
  });

  it('logs a bounded number of lines for many bad tokens', async () => {
    for (let i = 0; i < 300; i += 1) {
      const authorization = `Bearer ${Buffer.from(`{"alg":"X${i}"}`).toString('base64url')}.e30.AAAA`;
      await server.send('{ viewer { id } }', { headers: { authorization } });
    }
    expect(causes().length).toBeLessThanOrEqual(3);
  });
});

describe('a token of the server’s own key', () => {
  /** Signs a token with the key in the store, as an attacker with a stolen key could. */
  async function forge(change: object): Promise<string> {
    const [row] = await server.bandha.store.listSigningKeys();
    const jwk: JWK = JSON.parse(
      createSecrets(TEST_SECRET).open(row?.sealedPrivateJwk ?? '', row?.kid ?? '') ?? '',
    );
    const { accessToken } = await register(server.url);
    return new SignJWT({ ...decodeJwt(accessToken), ...change })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: row?.kid ?? '' })
      .sign(await importJWK(jwk, 'EdDSA'));
  }

  it.each<[string, object]>([
    ['no sid', { sid: undefined }],
    ['an empty sid', { sid: '' }],
    ['a sid that is a number', { sid: 7 }],
    ['a sid in a list', { sid: ['x'] }],
    ['roles that are a string', { roles: 'admin' }],
  ])('a token with %s is rejected, because no revocation could reach it', async (_, change) => {
    const { status, body } = await server.send(SECURED, { token: await forge(change) });
    expect(status).toBe(401);
    expect(body.errors[0].extensions.reason).toBe('TOKEN_INVALID');
  });

  it('an unchanged token is accepted', async () => {
    expect((await server.send(SECURED, { token: await forge({}) })).status).toBe(200);
  });
});
