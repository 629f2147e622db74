// Runs the whole life of a session: register, log in, query, refresh, log out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOOD_PASSWORD, register, startTestServer, type TestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { accessToken tokenType expiresIn refreshToken user { id email roles } }
}`;
const REFRESH = 'mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }';
const SECURE = '{ secureData { message user { id email } } }';

describe('signing in', () => {
  it('returns tokens that grant access to protected fields', async () => {
    const { user } = await register(server.url, 'Ada@Example.com');
    const { body } = await server.send(LOGIN, {
      variables: { email: ' ada@example.COM ', password: GOOD_PASSWORD },
    });
    expect(body.data.login).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 600,
      user: { id: user.id, email: 'Ada@Example.com' },
    });
    const response = await server.send(SECURE, { token: body.data.login.accessToken });
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      data: {
        secureData: {
          message: 'Secure data access granted',
          user: { id: user.id, email: 'Ada@Example.com' },
        },
      },
    });
  });

  it('a wrong password and an unknown email get the same error', async () => {
    const { user } = await register(server.url);
    const wrong = await server.send(LOGIN, { variables: { email: user.email, password: 'not this one' } });
    const unknown = await server.send(LOGIN, {
      variables: { email: 'nobody@example.com', password: 'not this one' },
    });
    expect(wrong.status).toBe(200);
    expect(wrong.body.errors[0].extensions).toEqual({ code: 'INVALID_CREDENTIALS' });
    expect(unknown).toMatchObject({ status: wrong.status, body: wrong.body });
  });

  it('succeeds with an expired token in the header', async () => {
    const { user } = await register(server.url);
    const { body } = await server.send(LOGIN, {
      token: 'stale',
      variables: { email: user.email, password: GOOD_PASSWORD },
    });
    expect(body.data.login.user.id).toBe(user.id);
  });

  it('the error of a registration names the rule that was broken', async () => {
    const tryRegister = async (email: string, password: string) => {
      const { status, body } = await server.send(
        'mutation ($email: String!, $password: String!) { register(email: $email, password: $password) { tokenType } }',
        { variables: { email, password } },
      );
      expect(status).toBe(200);
      return body.errors[0].extensions;
    };
    const { user } = await register(server.url);
    expect(await tryRegister(user.email.toUpperCase(), GOOD_PASSWORD)).toEqual({
      code: 'BAD_USER_INPUT',
      reason: 'EMAIL_TAKEN',
    });
    expect(await tryRegister('new@example.com', 'password1')).toEqual({
      code: 'BAD_USER_INPUT',
      reason: 'WEAK_PASSWORD',
    });
    expect(await tryRegister('not an email', GOOD_PASSWORD)).toEqual({
      code: 'BAD_USER_INPUT',
      reason: 'INVALID_EMAIL',
    });
  });
});

describe('refreshing', () => {
  it('returns new tokens with the same sign-in time', async () => {
    const { refreshToken } = await register(server.url);
    const { body } = await server.send(REFRESH, { variables: { token: refreshToken } });
    expect(body.data.refresh.refreshToken).not.toBe(refreshToken);
    expect((await server.send(SECURE, { token: body.data.refresh.accessToken })).status).toBe(200);
  });

  it('rejects a malformed refresh token', async () => {
    const { status, body } = await server.send(REFRESH, { variables: { token: 'garbage' } });
    expect(status).toBe(200);
    expect(body.errors[0].extensions).toEqual({ code: 'INVALID_REFRESH_TOKEN', reason: 'UNKNOWN' });
  });

  it('a repeated token gets the same successor, and revokes after the grace period', async () => {
    const local = await startTestServer();
    try {
      const { refreshToken } = await register(local.url);
      const refreshOnce = async (token: string) => (await local.send(REFRESH, { variables: { token } })).body;
      const first = await refreshOnce(refreshToken);
      const again = await refreshOnce(refreshToken);
      expect(again.data.refresh.refreshToken).toBe(first.data.refresh.refreshToken);
      local.clock.now = new Date(local.clock.now.getTime() + 11_000);
      expect((await refreshOnce(refreshToken)).errors[0].extensions.reason).toBe('REUSED');
      expect((await refreshOnce(first.data.refresh.refreshToken)).errors[0].extensions.reason).toBe(
        'REVOKED',
      );
      const rejected = await local.send(SECURE, { token: first.data.refresh.accessToken });
      expect(rejected.body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
    } finally {
      await local.close();
    }
  });
});

describe('logging out', () => {
  it('revokes the session of the bearer token at once', async () => {
    const { accessToken, refreshToken } = await register(server.url);
    expect((await server.send('mutation { logout }', { token: accessToken })).body).toEqual({
      data: { logout: true },
    });
    const rejected = await server.send(SECURE, { token: accessToken });
    expect(rejected.status).toBe(401);
    expect(rejected.body.errors[0].extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_REVOKED',
    });
    const { body } = await server.send(REFRESH, { variables: { token: refreshToken } });
    expect(body.errors[0].extensions.reason).toBe('REVOKED');
    expect((await server.send('mutation { logout }', { token: accessToken })).body).toEqual({
      data: { logout: false },
    });
  });

  it('revokes the session of a refresh token without any header', async () => {
    const { accessToken, refreshToken } = await register(server.url);
    const { body } = await server.send('mutation ($token: String!) { logout(refreshToken: $token) }', {
      variables: { token: refreshToken },
    });
    expect(body).toEqual({ data: { logout: true } });
    expect((await server.send(SECURE, { token: accessToken })).status).toBe(401);
  });

  it('revokes one or all sessions of the caller, and no others', async () => {
    const ada = await register(server.url);
    const bob = await register(server.url);
    const second = (
      await server.send(LOGIN, { variables: { email: ada.user.email, password: GOOD_PASSWORD } })
    ).body.data.login;
    const listed = (await server.send('{ sessions { id current } }', { token: ada.accessToken })).body.data
      .sessions;
    expect(listed.filter((session: { current: boolean }) => session.current)).toHaveLength(1);
    const other = listed.find((session: { current: boolean }) => !session.current).id;
    const end = 'mutation ($id: ID!) { revokeSession(id: $id) }';
    expect(
      (await server.send(end, { token: bob.accessToken, variables: { id: other } })).body.data.revokeSession,
    ).toBe(false);
    expect(
      (await server.send(end, { token: ada.accessToken, variables: { id: other } })).body.data.revokeSession,
    ).toBe(true);
    expect((await server.send(SECURE, { token: second.accessToken })).body.errors[0].extensions.reason).toBe(
      'TOKEN_REVOKED',
    );
    expect(
      (await server.send('mutation { logoutEverywhere }', { token: ada.accessToken })).body.data
        .logoutEverywhere,
    ).toBe(1);
    expect((await server.send(SECURE, { token: bob.accessToken })).status).toBe(200);
  });
});
