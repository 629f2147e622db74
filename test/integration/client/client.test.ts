// One client without other tabs, against a real server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import { AuthClientError, createAuthClient } from '../../../src/client/index.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { ADA, countRefreshes, createTabs, cutRefresh, expire, SECURE, type Tab } from './tab.ts';

let server: TestServer;
let tab: Tab;
const tabs = createTabs(() => server);
const WITHOUT_TABS = { locks: undefined, openChannel: undefined };

beforeEach(async () => {
  server = await startTestServer();
  tab = tabs.open({ platform: WITHOUT_TABS });
});
afterEach(async () => {
  tabs.close();
  await server.close();
});

const MINUTES = 60_000;
const register = async () => {
  await tab.client.register(ADA);
  return (await tab.client.accessToken()) ?? '';
};
const isAccepted = async (token: string | null) =>
  (await server.send(SECURE, { token: token ?? '' })).status === 200;
const catchError = async (operation: Promise<unknown>) => {
  const error = await operation.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AuthClientError)) throw new Error(`Expected an AuthClientError, got: ${error}`);
  return error;
};

describe('signing in and out', () => {
  it('a new client has no user and sends nothing', async () => {
    await tab.client.ready;
    expect(tab.client.user).toBeNull();
    expect(await tab.client.accessToken()).toBeNull();
    expect(tab.sent).toEqual([]);
  });

  it('register returns the user and a token that the server accepts', async () => {
    const user = await tab.client.register(ADA);
    expect(user).toEqual({
      id: expect.any(String),
      email: ADA.email,
      roles: [],
      createdAt: expect.any(String),
    });
    expect(tab.client.user).toEqual(user);
    expect(tab.users).toEqual([user]);
    expect(await isAccepted(await tab.client.accessToken())).toBe(true);
  });

  it('login works on the platform of Node', async () => {
    await register();
    const client = createAuthClient({ url: `${server.url}/graphql` });
    expect(client.user).toBeNull(); // a process has no other tabs
    expect((await client.login(ADA)).email).toBe(ADA.email);
    expect(await isAccepted(await client.accessToken())).toBe(true);
    client.close();
  });

  it('a rejected login gives code and reason and keeps the session', async () => {
    await register();
    const wrong = await catchError(tab.client.login({ ...ADA, password: 'not this one at all' }));
    expect(wrong).toMatchObject({ code: 'INVALID_CREDENTIALS', reason: undefined });
    const taken = await catchError(tab.client.register(ADA));
    expect(taken).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'EMAIL_TAKEN' });
    expect(tab.client.user?.email).toBe(ADA.email);
    expect(tab.signedOut).toEqual([]);
  });

  it('logout revokes the session even if the access token has expired', async () => {
    const token = await register();
    expire(server);
    await tab.client.logout();
    expect(tab.client.user).toBeNull();
    expect(await tab.client.accessToken()).toBeNull();
    expect(tab.signedOut).toEqual(['LOGOUT']);
    expect(tab.users.at(-1)).toBeNull();
    server.clock.now = new Date(server.clock.now.getTime() - 601_000);
    expect((await server.send(SECURE, { token })).body.errors[0].extensions.reason).toBe('TOKEN_REVOKED');
  });

  it('logout signs out here if the server cannot be reached', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const proxied = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await proxied.client.register(ADA);
    await proxy.close();
    await proxied.client.logout();
    expect(proxied.client.user).toBeNull();
    expect(proxied.signedOut).toEqual(['LOGOUT']);
  });

  it('login revokes the previous session of the client', async () => {
    const token = await register();
    await tab.client.login(ADA);
    await expect.poll(() => isAccepted(token)).toBe(false);
    expect(tab.signedOut).toEqual([]);
    expect(await isAccepted(await tab.client.accessToken())).toBe(true);
  });

  it('a second logout has no effect', async () => {
    await register();
    await Promise.all([tab.client.logout(), tab.client.logout()]);
    expect(tab.signedOut).toEqual(['LOGOUT']);
    expect(tab.sent.filter((field) => field === 'logout')).toHaveLength(1);
  });

  it('a relative URL throws outside a page', () => {
    expect(() => createAuthClient({ url: '/graphql' })).toThrow(TypeError);
  });

  it('listeners can be removed, and one that throws does not stop the others', async () => {
    const received: unknown[] = [];
    tab.client.onUserChanged(() => received.push('off'))();
    const existing = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    tab.client.onUserChanged(() => {
      throw new Error('app error');
    });
    tab.client.onUserChanged((user) => received.push(user?.email));
    await register();
    expect(await thrown).toMatchObject({ message: 'app error' });
    for (const listener of existing) process.on('uncaughtException', listener);
    expect(received).toEqual([ADA.email]);
  });
});

describe('an access token', () => {
  it('an access token is refreshed shortly before it expires', async () => {
    const token = await register();
    tab.clock.nowMs += 9 * MINUTES;
    expect(await tab.client.accessToken()).toBe(token);
    tab.clock.nowMs += 31_000;
    const fresh = await tab.client.accessToken();
    expect(fresh).not.toBe(token);
    expect(await isAccepted(fresh)).toBe(true);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('an access token that lives three seconds is refreshed in time', async () => {
    const shortLived = await startTestServer({ accessTtlSeconds: 3 });
    const short = tabs.open({ url: `${shortLived.url}/graphql` });
    await short.client.register(ADA);
    for (let second = 0; second < 12; second += 1) {
      short.clock.nowMs += 1_000;
      shortLived.clock.now = new Date(shortLived.clock.now.getTime() + 1_000);
      const token = (await short.client.accessToken()) ?? '';
      expect((await shortLived.send(SECURE, { token })).status).toBe(200);
    }
    expect(await countRefreshes(shortLived)).toEqual({ ok: 6 });
    await shortLived.close();
  });

  it('the lifetime of a token does not depend on the server’s clock', async () => {
    server.clock.now = new Date('2040-02-29T12:00:00Z');
    const token = await register();
    expect(await tab.client.accessToken()).toBe(token);
    expect(await isAccepted(token)).toBe(true);
  });

  it('a hundred calls at expiry share one refresh', async () => {
    const token = await register();
    tab.clock.nowMs += 11 * MINUTES;
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tab.client.accessToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(token);
    expect(await isAccepted(tokens[0] ?? null)).toBe(true);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('a hundred renewals of a rejected token and a late one share one refresh', async () => {
    const token = await register();
    expire(server);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tab.client.renew(token)));
    expect(new Set(tokens).size).toBe(1);
    expect(await isAccepted(tokens[0] ?? null)).toBe(true);
    expect(await tab.client.renew(token)).toBe(tokens[0]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('a token that cannot be refreshed is returned until it expires', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const proxied = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await proxied.client.register(ADA);
    const token = await proxied.client.accessToken();
    await proxy.close();
    proxied.clock.nowMs += 9 * MINUTES + 40_000;
    expect(await proxied.client.accessToken()).toBe(token);
    proxied.clock.nowMs += MINUTES;
    expect((await catchError(proxied.client.accessToken())).code).toBe('NETWORK_ERROR');
    expect(proxied.signedOut).toEqual([]);
  });
});

describe('a refresh', () => {
  it('a slow refresh does not delay a valid token for long', async () => {
    const token = await register();
    tab.clock.nowMs += 580_000;
    const held = tab.hold('refresh');
    expect(await tab.client.accessToken()).toBe(token);
    held.release();
    expect(await tab.client.renew(token)).not.toBe(token);
  });

  it('a refresh whose response is lost is sent again at once', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    await held.arrived;
    held.release(new TypeError('terminated'));
    expect(await isAccepted(await renewed)).toBe(true);
    expire(server); // after the server’s grace period for the lost response
    expect(await isAccepted(await tab.client.renew((await renewed) ?? ''))).toBe(true);
    expect(tab.signedOut).toEqual([]);
  });

  it('a refresh that fails twice keeps the session and works the next time', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewals = Array.from({ length: 10 }, () => catchError(tab.client.renew(token)));
    await cutRefresh(tab, held);
    expect(new Set((await Promise.all(renewals)).map(({ code }) => code))).toEqual(
      new Set(['NETWORK_ERROR']),
    );
    expect(tab.client.user?.email).toBe(ADA.email);
    expect(await isAccepted(await tab.client.renew(token))).toBe(true);
    expect(tab.signedOut).toEqual([]);
    expect(tab.sent.filter((field) => field === 'refresh')).toHaveLength(3);
  });

  it('a refresh that ends after another user’s login never gives their token', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    tab.clock.nowMs += 601_000;
    const pending = catchError(tab.client.accessToken());
    await held.arrived;
    await tab.client.register({ email: 'bob@example.com', password: ADA.password });
    held.release();
    expect(await renewed).toBeNull();
    expect((await pending).code).toBe('SUPERSEDED');
    expect(await tab.client.renew(token)).toBeNull();
    expect(await isAccepted(await tab.client.accessToken())).toBe(true);
  });

  it('a refresh without a response times out', { timeout: 20_000 }, async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const proxied = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await proxied.client.register(ADA);
    const token = (await proxied.client.accessToken()) ?? '';
    proxy.goSilent();
    expect((await catchError(proxied.client.renew(token))).code).toBe('NETWORK_ERROR');
    proxy.forward();
    expect(await isAccepted(await proxied.client.renew(token))).toBe(true);
    await proxy.close();
  });

  it.each<[string, () => Response, object]>([
    [
      'status 502 of a proxy',
      () => new Response('<h1>Bad Gateway</h1>', { status: 502 }),
      { code: 'BAD_ANSWER' },
    ],
    ['an empty body', () => new Response(''), { code: 'BAD_ANSWER' }],
    ['null', () => Response.json(null), { code: 'BAD_ANSWER' }],
    ['a response without tokens', () => Response.json({ data: { refresh: {} } }), { code: 'BAD_ANSWER' }],
    ['a response without data', () => Response.json({ data: null }), { code: 'BAD_ANSWER' }],
    ['an error without a code', () => Response.json({ errors: [{ message: 'no' }] }), { code: 'BAD_ANSWER' }],
    [
      'a rate limit',
      () =>
        Response.json(
          { errors: [{ message: 'Too many', extensions: { code: 'RATE_LIMITED' } }] },
          { status: 429, headers: { 'retry-after': '7' } },
        ),
      { code: 'RATE_LIMITED', retryAfterSeconds: 7 },
    ],
    [
      'an outage',
      () =>
        Response.json(
          {
            errors: [
              { message: 'x', extensions: { code: 'SERVICE_UNAVAILABLE', reason: 'STORE_UNAVAILABLE' } },
            ],
          },
          { status: 503, headers: { 'retry-after': '5' } },
        ),
      { code: 'SERVICE_UNAVAILABLE', reason: 'STORE_UNAVAILABLE', retryAfterSeconds: 5 },
    ],
  ])('a refresh that fails with %s keeps the session', async (_, createResponse, error) => {
    let isFailing = false;
    const failing = tabs.open({
      fetch: (input, init) => (isFailing ? Promise.resolve(createResponse()) : fetch(input, init)),
    });
    await failing.client.register(ADA);
    const token = (await failing.client.accessToken()) ?? '';
    isFailing = true;
    expect(await catchError(failing.client.renew(token))).toMatchObject(error);
    expect(failing.client.user?.email).toBe(ADA.email);
    expect(failing.signedOut).toEqual([]);
    isFailing = false;
    expect(await isAccepted(await failing.client.renew(token))).toBe(true);
  });

  it('a rejected refresh token signs out once for all pending calls', async () => {
    const token = await register();
    await server.send('mutation { logout }', { token });
    expect(await Promise.all(Array.from({ length: 10 }, () => tab.client.renew(token)))).toEqual(
      Array(10).fill(null),
    );
    expect(tab.signedOut).toEqual(['REVOKED']);
    expect(tab.client.user).toBeNull();
    expect(await tab.client.renew(token)).toBeNull();
    expect(await countRefreshes(server)).toEqual({ REVOKED: 1 });
  });

  it('a refresh updates the roles of the user', async () => {
    const token = await register();
    await changeRoles({ store: server.bandha.store, now: () => server.clock.now }, ADA.email, {
      add: ['editor'],
    });
    await tab.client.renew(token);
    expect(tab.client.user?.roles).toEqual(['editor']);
    expect(tab.users.map((user) => user?.roles)).toEqual([[], ['editor']]);
  });

  it('a refresh that ends after a new login does not undo it', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    await held.arrived;
    await tab.client.login(ADA);
    const fresh = await tab.client.accessToken();
    held.release();
    expect(await renewed).toBe(fresh);
    expect(await tab.client.accessToken()).toBe(fresh);
    expect(tab.signedOut).toEqual([]);
  });

  it('a refresh of the previous session does not renew the new token', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const late = tab.client.renew(token);
    await held.arrived;
    await tab.client.login(ADA);
    const second = (await tab.client.accessToken()) ?? '';
    expire(server);
    const renewed = tab.client.renew(second);
    held.release();
    expect(await isAccepted(await renewed)).toBe(true);
    await late;
  });

  it('a refresh rejected after a new login does not end its session', async () => {
    const token = await register();
    await server.send('mutation { logout }', { token });
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    await held.arrived;
    await tab.client.login(ADA);
    held.release();
    expect(await isAccepted(await renewed)).toBe(true);
    expect(tab.signedOut).toEqual([]);
  });

  it('a refresh that ends after a logout does not sign in again', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    await held.arrived;
    await tab.client.logout();
    held.release();
    expect(await renewed).toBeNull();
    expect(tab.client.user).toBeNull();
    expect(tab.signedOut).toEqual(['LOGOUT']);
  });
});

describe('a login', () => {
  it('a login superseded by a logout rejects, and its session is revoked', async () => {
    await register();
    const held = tab.hold('login');
    const login = catchError(tab.client.login(ADA));
    await held.arrived;
    await tab.client.logout();
    held.release();
    expect((await login).code).toBe('SUPERSEDED');
    expect(tab.client.user).toBeNull();
    expect(tab.sent.filter((field) => field === 'logout')).toHaveLength(2);
  });

  it('the later of two logins wins, whichever response arrives first', async () => {
    await register();
    await tab.client.logout();
    const held = tab.hold('login');
    const first = catchError(tab.client.login(ADA));
    await held.arrived;
    await tab.client.login(ADA);
    const token = await tab.client.accessToken();
    held.release();
    expect((await first).code).toBe('SUPERSEDED');
    expect(await tab.client.accessToken()).toBe(token);
    expect(await isAccepted(token)).toBe(true);
  });
});

describe('a session that was revoked', () => {
  it('revoked signs out once, for the current and the previous token', async () => {
    const token = await register();
    tab.client.revoked('some other token');
    expect(tab.client.user?.email).toBe(ADA.email);
    await tab.client.renew(token);
    tab.client.revoked(token);
    tab.client.revoked(token);
    expect(tab.client.user).toBeNull();
    await tab.client.login(ADA);
    tab.client.revoked(token);
    expect(tab.client.user?.email).toBe(ADA.email);
    expect(tab.signedOut).toEqual(['TOKEN_REVOKED']);
  });
});

describe('an error', () => {
  it('an error contains no password even if the server repeats it', async () => {
    const password = 'so "secret" a phrase';
    const echoing = tabs.open({
      fetch: async (_input, init) => {
        const { variables } = JSON.parse(String(init?.body));
        const message = `Variable "$password" got ${JSON.stringify(variables.password)}`;
        return Response.json({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
      },
    });
    const error = await catchError(echoing.client.login({ ...ADA, password }));
    expect(error.code).toBe('BAD_USER_INPUT');
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(/secret/);
  });

  it('an error keeps a server message with the word of a plain password', async () => {
    const error = await catchError(tab.client.register({ ...ADA, password: 'password' }));
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'WEAK_PASSWORD' });
    expect(error.message).toMatch(/common/);
  });
});
