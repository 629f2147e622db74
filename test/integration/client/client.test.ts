// The client alone, as in a process of Node: a real server, and no other tabs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRoles } from '../../../src/accounts/administration.ts';
import { AuthClientError, createAuthClient } from '../../../src/client/index.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { ADA, countRefreshes, createTabs, cutRefresh, expire, SECURE, type Tab } from './tab.ts';

let server: TestServer;
let tab: Tab;
const tabs = createTabs(() => server);
const ALONE = { locks: undefined, openChannel: undefined };

beforeEach(async () => {
  server = await startTestServer();
  tab = tabs.open({ platform: ALONE });
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
const refusalOf = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AuthClientError)) throw new Error(`No AuthClientError but: ${error}`);
  return error;
};

describe('signing in and out', () => {
  it('knows nobody at first', async () => {
    await tab.client.ready;
    expect(tab.client.user).toBeNull();
    expect(await tab.client.accessToken()).toBeNull();
    expect(tab.sent).toEqual([]);
  });

  it('registers and has a token that the server accepts', async () => {
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

  it('logs in from a client without any platform of its own', async () => {
    await register();
    const plain = createAuthClient({ url: `${server.url}/graphql` });
    expect(plain.user).toBeNull(); // a process has no other tabs
    expect((await plain.login(ADA)).email).toBe(ADA.email);
    expect(await isAccepted(await plain.accessToken())).toBe(true);
    plain.close();
  });

  it('rejects with code and reason of a refusal, and stays as it was', async () => {
    await register();
    const wrong = await refusalOf(tab.client.login({ ...ADA, password: 'not this one at all' }));
    expect(wrong).toMatchObject({ code: 'INVALID_CREDENTIALS', reason: undefined });
    const taken = await refusalOf(tab.client.register(ADA));
    expect(taken).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'EMAIL_TAKEN' });
    expect(tab.client.user?.email).toBe(ADA.email);
    expect(tab.signedOut).toEqual([]);
  });

  it('logs out at the server, with an expired access token too', async () => {
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

  it('logs out here when the server cannot be reached', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const far = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await far.client.register(ADA);
    await proxy.close();
    await far.client.logout();
    expect(far.client.user).toBeNull();
    expect(far.signedOut).toEqual(['LOGOUT']);
  });

  it('ends the session before, where somebody signs in over it', async () => {
    const token = await register();
    await tab.client.login(ADA);
    await expect.poll(() => isAccepted(token)).toBe(false);
    expect(tab.signedOut).toEqual([]);
    expect(await isAccepted(await tab.client.accessToken())).toBe(true);
  });

  it('says nothing of a second logout', async () => {
    await register();
    await Promise.all([tab.client.logout(), tab.client.logout()]);
    expect(tab.signedOut).toEqual(['LOGOUT']);
    expect(tab.sent.filter((field) => field === 'logout')).toHaveLength(1);
  });

  it('refuses a URL that is none at once', () => {
    expect(() => createAuthClient({ url: '/graphql' })).toThrow(TypeError);
  });

  it('takes listeners off, and lets one that throws disturb nobody', async () => {
    const heard: unknown[] = [];
    tab.client.onUserChanged(() => heard.push('off'))();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    tab.client.onUserChanged(() => {
      throw new Error('of the app');
    });
    tab.client.onUserChanged((user) => heard.push(user?.email));
    await register();
    expect(await thrown).toMatchObject({ message: 'of the app' });
    for (const listener of others) process.on('uncaughtException', listener);
    expect(heard).toEqual([ADA.email]);
  });
});

describe('an access token', () => {
  it('is kept until shortly before it expires, then refreshed', async () => {
    const token = await register();
    tab.clock.nowMs += 9 * MINUTES;
    expect(await tab.client.accessToken()).toBe(token);
    tab.clock.nowMs += 31_000;
    const fresh = await tab.client.accessToken();
    expect(fresh).not.toBe(token);
    expect(await isAccepted(fresh)).toBe(true);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('is refreshed before its end also where it lives three seconds', async () => {
    const brief = await startTestServer({ accessTtlSeconds: 3 });
    const short = tabs.open({ url: `${brief.url}/graphql` });
    await short.client.register(ADA);
    for (let second = 0; second < 12; second += 1) {
      short.clock.nowMs += 1_000;
      brief.clock.now = new Date(brief.clock.now.getTime() + 1_000);
      const token = (await short.client.accessToken()) ?? '';
      expect((await brief.send(SECURE, { token })).status).toBe(200);
    }
    expect(await countRefreshes(brief)).toEqual({ ok: 6 });
    await brief.close();
  });

  it('is judged by the time since it came, whatever the clock of the server says', async () => {
    server.clock.now = new Date('2040-02-29T12:00:00Z');
    const token = await register();
    expect(await tab.client.accessToken()).toBe(token);
    expect(await isAccepted(token)).toBe(true);
  });

  it('is refreshed once for a hundred who ask at the moment it expires', async () => {
    const token = await register();
    tab.clock.nowMs += 11 * MINUTES;
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tab.client.accessToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(token);
    expect(await isAccepted(tokens[0] ?? null)).toBe(true);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('is renewed once for a hundred to whom it was refused, and not again for those who come late', async () => {
    const token = await register();
    expire(server);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tab.client.renew(token)));
    expect(new Set(tokens).size).toBe(1);
    expect(await isAccepted(tokens[0] ?? null)).toBe(true);
    expect(await tab.client.renew(token)).toBe(tokens[0]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('is returned while it lives where it cannot be refreshed, and rejects after that', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const far = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await far.client.register(ADA);
    const token = await far.client.accessToken();
    await proxy.close();
    far.clock.nowMs += 9 * MINUTES + 40_000;
    expect(await far.client.accessToken()).toBe(token);
    far.clock.nowMs += MINUTES;
    expect((await refusalOf(far.client.accessToken())).code).toBe('NETWORK_ERROR');
    expect(far.signedOut).toEqual([]);
  });
});

describe('a refresh', () => {
  it('that hangs keeps nobody waiting for long whose token still lives', async () => {
    const token = await register();
    tab.clock.nowMs += 580_000;
    const held = tab.hold('refresh');
    expect(await tab.client.accessToken()).toBe(token);
    held.release();
    expect(await tab.client.renew(token)).not.toBe(token);
  });

  it('that is cut in the middle is sent again at once, while the server still answers it', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    await held.arrived;
    held.release(new TypeError('terminated'));
    expect(await isAccepted(await renewed)).toBe(true);
    expire(server); // by far too late for the answer that was lost
    expect(await isAccepted(await tab.client.renew((await renewed) ?? ''))).toBe(true);
    expect(tab.signedOut).toEqual([]);
  });

  it('that is cut twice fails for all who wait, signs nobody out, and works the next time', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const asked = Array.from({ length: 10 }, () => refusalOf(tab.client.renew(token)));
    await cutRefresh(tab, held);
    expect(new Set((await Promise.all(asked)).map(({ code }) => code))).toEqual(new Set(['NETWORK_ERROR']));
    expect(tab.client.user?.email).toBe(ADA.email);
    expect(await isAccepted(await tab.client.renew(token))).toBe(true);
    expect(tab.signedOut).toEqual([]);
    expect(tab.sent.filter((field) => field === 'refresh')).toHaveLength(3);
  });

  it('that comes after somebody else has signed in gives nobody their token', async () => {
    const token = await register();
    const held = tab.hold('refresh');
    const renewed = tab.client.renew(token);
    tab.clock.nowMs += 601_000;
    const asked = refusalOf(tab.client.accessToken());
    await held.arrived;
    await tab.client.register({ email: 'bob@example.com', password: ADA.password });
    held.release();
    expect(await renewed).toBeNull();
    expect((await asked).code).toBe('SUPERSEDED');
    expect(await tab.client.renew(token)).toBeNull();
    expect(await isAccepted(await tab.client.accessToken())).toBe(true);
  });

  it('that is never answered is given up', { timeout: 20_000 }, async () => {
    const proxy = await startTcpProxy(Number(new URL(server.url).port));
    const far = tabs.open({ url: `${proxy.toProxyUrl(server.url)}graphql` });
    await far.client.register(ADA);
    const token = (await far.client.accessToken()) ?? '';
    proxy.goSilent();
    expect((await refusalOf(far.client.renew(token))).code).toBe('NETWORK_ERROR');
    proxy.forward();
    expect(await isAccepted(await far.client.renew(token))).toBe(true);
    await proxy.close();
  });

  it.each<[string, () => Response, object]>([
    ['502 of a proxy', () => new Response('<h1>Bad Gateway</h1>', { status: 502 }), { code: 'BAD_ANSWER' }],
    ['an empty 200', () => new Response(''), { code: 'BAD_ANSWER' }],
    ['null', () => Response.json(null), { code: 'BAD_ANSWER' }],
    ['no tokens', () => Response.json({ data: { refresh: {} } }), { code: 'BAD_ANSWER' }],
    ['no data', () => Response.json({ data: null }), { code: 'BAD_ANSWER' }],
    ['an error without a code', () => Response.json({ errors: [{ message: 'no' }] }), { code: 'BAD_ANSWER' }],
    [
      'too many tries',
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
  ])('that is answered with %s signs nobody out', async (_, answer, error) => {
    let isIll = false;
    const ill = tabs.open({
      fetch: (input, init) => (isIll ? Promise.resolve(answer()) : fetch(input, init)),
    });
    await ill.client.register(ADA);
    const token = (await ill.client.accessToken()) ?? '';
    isIll = true;
    expect(await refusalOf(ill.client.renew(token))).toMatchObject(error);
    expect(ill.client.user?.email).toBe(ADA.email);
    expect(ill.signedOut).toEqual([]);
    isIll = false;
    expect(await isAccepted(await ill.client.renew(token))).toBe(true);
  });

  it('that is refused signs out once, for all who wait', async () => {
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

  it('notices other roles', async () => {
    const token = await register();
    await changeRoles({ store: server.bandha.store, now: () => server.clock.now }, ADA.email, {
      add: ['editor'],
    });
    await tab.client.renew(token);
    expect(tab.client.user?.roles).toEqual(['editor']);
    expect(tab.users.map((user) => user?.roles)).toEqual([[], ['editor']]);
  });

  it('that comes after a new login does not undo it', async () => {
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

  it('of the session before does not answer for the token of the next one', async () => {
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

  it('that is refused after a new login does not end it', async () => {
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

  it('that comes after a logout does not sign in again', async () => {
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
  it('that is answered after a logout counts for nothing, and its session is ended', async () => {
    await register();
    const held = tab.hold('login');
    const login = refusalOf(tab.client.login(ADA));
    await held.arrived;
    await tab.client.logout();
    held.release();
    expect((await login).code).toBe('SUPERSEDED');
    expect(tab.client.user).toBeNull();
    expect(tab.sent.filter((field) => field === 'logout')).toHaveLength(2);
  });

  it('gives way to one that was asked for later, whichever is answered first', async () => {
    await register();
    await tab.client.logout();
    const held = tab.hold('login');
    const first = refusalOf(tab.client.login(ADA));
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
  it('is signed out of once, for its current token and the one before', async () => {
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
  it('contains nothing of what was sent, also where the server repeats it', async () => {
    const password = 'so "secret" a phrase';
    const chatty = tabs.open({
      fetch: async (_input, init) => {
        const { variables } = JSON.parse(String(init?.body));
        const message = `Variable "$password" got ${JSON.stringify(variables.password)}`;
        return Response.json({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
      },
    });
    const refusal = await refusalOf(chatty.client.login({ ...ADA, password }));
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(`${refusal.message} ${refusal.stack} ${JSON.stringify(refusal)}`).not.toMatch(/secret/);
  });

  it('keeps the server’s words where they have a word that was sent', async () => {
    const refusal = await refusalOf(tab.client.register({ ...ADA, password: 'password' }));
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'WEAK_PASSWORD' });
    expect(refusal.message).toMatch(/common/);
  });
});
