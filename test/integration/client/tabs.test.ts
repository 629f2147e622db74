// Several tabs, with Node's locks and channels instead of a browser's.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import {
  ADA,
  countRefreshes,
  createSlowChannel,
  createTabs,
  cutRefresh,
  expire,
  nextUser,
  SECURE,
  type SlowChannel,
  type Tab,
  type TabOptions,
} from './tab.ts';

let server: TestServer;
const tabs = createTabs(() => server);
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  tabs.close();
  await server.close();
});

const isAccepted = async (token: string | null) =>
  (await server.send(SECURE, { token: token ?? '' })).status === 200;

/** Number of parts of the refresh lock's name, `bandha:1:http://host:port/graphql`; version locks have more. */
const REFRESH_LOCK_PARTS = 5;

const bindLocks = () => ({
  request: navigator.locks.request.bind(navigator.locks),
  query: navigator.locks.query.bind(navigator.locks),
});

/** Opens two tabs with one session. */
async function openTwo(options?: TabOptions): Promise<[Tab, Tab]> {
  const first = tabs.open(options);
  await first.client.register(ADA);
  const second = tabs.open(options);
  await second.client.ready;
  return [first, second];
}

/** Creates a storage like that of all pages of an origin. */
function createLocalStorage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

describe('a new tab', () => {
  it('a new tab is ready once it has the session of an open tab', async () => {
    const [first, second] = await openTwo();
    expect(second.client.user).toEqual(first.client.user);
    expect(await second.client.accessToken()).toBe(await first.client.accessToken());
    expect(second.sent).toEqual([]);
  });

  it('a new tab does not wait if no user is signed in', async () => {
    const first = tabs.open();
    await first.client.register(ADA);
    await first.client.logout();
    const queried: number[] = [];
    const messages: string[] = [];
    const second = tabs.open({
      platform: {
        openChannel: (name) => {
          const channel = new BroadcastChannel(name);
          const post = channel.postMessage.bind(channel);
          channel.postMessage = (message) => {
            messages.push(message === null ? 'request' : 'session');
            post(message);
          };
          return channel;
        },
        locks: {
          request: navigator.locks.request.bind(navigator.locks),
          query: () => {
            queried.push(1);
            return navigator.locks.query();
          },
        },
      },
    });
    await second.client.ready;
    expect(queried).toEqual([1]);
    expect(messages).toEqual([]);
    expect(second.client.user).toBeNull();
  });

  it('a tab receives the session of a later login in another tab', async () => {
    const [first, second] = [tabs.open(), tabs.open()];
    await second.client.ready;
    const received = nextUser(second);
    const user = await first.client.register(ADA);
    expect(await received).toEqual(user);
    expect(await isAccepted(await second.client.accessToken())).toBe(true);
  });

  it('tabs of different servers share nothing', async () => {
    const other = await startTestServer();
    const first = tabs.open();
    await first.client.register(ADA);
    const separate = tabs.open({ url: `${other.url}/graphql` });
    await separate.client.ready;
    expect(separate.client.user).toBeNull();
    await other.close();
  });

  it('a new tab without locks receives the session by message', async () => {
    const first = tabs.open({ platform: { locks: undefined } });
    await first.client.register(ADA);
    const second = tabs.open({ platform: { locks: undefined } });
    const received = nextUser(second);
    await second.client.ready;
    expect(await received).toEqual(first.client.user);
  });
});

describe('a logout', () => {
  it('logout signs out every tab once', async () => {
    const [first, second] = await openTwo();
    const received = nextUser(second);
    await first.client.logout();
    expect(await received).toBeNull();
    expect(await second.client.accessToken()).toBeNull();
    expect([first.signedOut, second.signedOut]).toEqual([['LOGOUT'], ['LOGOUT']]);
  });

  it('a refresh in flight in another tab does not undo a logout', async () => {
    const [first, second] = await openTwo();
    const token = (await second.client.accessToken()) ?? '';
    const held = second.hold('refresh');
    const renewed = second.client.renew(token);
    await held.arrived;
    const received = nextUser(second);
    await first.client.logout();
    await received;
    held.release();
    expect(await renewed).toBeNull();
    expect([first.client.user, second.client.user]).toEqual([null, null]);
    expect([first.signedOut, second.signedOut]).toEqual([['LOGOUT'], ['LOGOUT']]);
  });

  it('a refresh published before the logout arrives does not undo it', async () => {
    const [first, second] = await openTwo();
    const third = tabs.open();
    await third.client.ready;
    const token = (await second.client.accessToken()) ?? '';
    const held = second.hold('refresh');
    const renewed = second.client.renew(token);
    await held.arrived;
    const received = [nextUser(second), nextUser(third)];
    held.release();
    const loggedOut = first.client.logout(); // at the same moment as the response of the refresh
    await Promise.all([loggedOut, renewed, ...received]);
    expect([first, second, third].map(({ client }) => client.user)).toEqual([null, null, null]);
    expect([first, second, third].map(({ signedOut }) => signedOut)).toEqual([
      ['LOGOUT'],
      ['LOGOUT'],
      ['LOGOUT'],
    ]);
  });
});

describe('an expiry', () => {
  it('three tabs need one rotation for each of twenty expiries', async () => {
    const [first, second] = await openTwo();
    const third = tabs.open();
    await third.client.ready;
    const all = [first, second, third];
    for (let expiry = 1; expiry <= 20; expiry += 1) {
      const token = (await first.client.accessToken()) ?? '';
      expire(server);
      const renewals = all.flatMap(({ client }) => Array.from({ length: 5 }, () => client.renew(token)));
      const tokens = new Set(await Promise.all(renewals));
      expect(tokens.size).toBe(1);
      expect(await isAccepted([...tokens][0] ?? null)).toBe(true);
      expect(await countRefreshes(server)).toEqual({ ok: expiry });
    }
    expect(all.map(({ signedOut }) => signedOut)).toEqual([[], [], []]);
  });

  it('one rotation is enough if the message arrives long after the lock', async () => {
    const first = tabs.open();
    await first.client.register(ADA);
    const token = (await first.client.accessToken()) ?? '';
    const slow: SlowChannel[] = [];
    let whenQueried = () => {};
    const second = tabs.open({
      platform: {
        openChannel: (name) => {
          slow.push(createSlowChannel(name));
          return slow[0] as SlowChannel; // pushed in the line before
        },
        locks: {
          request: navigator.locks.request.bind(navigator.locks),
          query: async () => {
            const snapshot = await navigator.locks.query();
            whenQueried();
            return snapshot;
          },
        },
      },
    });
    await second.client.ready;
    expect(await second.client.accessToken()).toBe(token);
    expire(server);
    // The second tab receives no message until it holds the lock and has queried the other locks.
    slow[0]?.shut();
    const queried = Promise.withResolvers<void>();
    whenQueried = queried.resolve;
    const held = first.hold('refresh');
    const renewed = first.client.renew(token);
    await held.arrived;
    const secondRenewal = second.client.renew(token);
    held.release();
    await queried.promise;
    slow[0]?.open();
    expect(await secondRenewal).toBe(await renewed);
    expect(second.sent).toEqual([]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('a tab holds the refresh lock until its new version is visible', async () => {
    const order: string[] = [];
    const { request, query } = bindLocks();
    // Acquiring a version lock takes the first tab as long as a request to the server.
    const slowly = async (...args: Parameters<typeof request>) => {
      const [name] = args;
      if (name.split(':').length <= REFRESH_LOCK_PARTS) return request(...args);
      await server.send('{ viewer { id } }');
      order.push('published');
      return request(...args);
    };
    const first = tabs.open({ platform: { locks: { request: slowly as typeof request, query } } }); // one of its overloads
    await first.client.register(ADA);
    const second = tabs.open({
      platform: {
        locks: {
          request,
          query: () => {
            order.push('queried');
            return query();
          },
        },
      },
    });
    await second.client.ready;
    const token = (await first.client.accessToken()) ?? '';
    expire(server);
    order.length = 0;
    const held = first.hold('refresh');
    const renewed = first.client.renew(token);
    await held.arrived;
    const secondRenewal = second.client.renew(token);
    held.release();
    expect(await secondRenewal).toBe(await renewed);
    expect(order).toEqual(['published', 'queried']);
  });

  it('tabs with only a shared storage keep their session across expiries', async () => {
    const storage = createLocalStorage();
    const options: TabOptions = {
      storage: 'localStorage',
      platform: { storage, locks: undefined, openChannel: undefined },
    };
    const [first, second] = await openTwo(options);
    for (let expiry = 0; expiry < 3; expiry += 1) {
      const token = (await first.client.accessToken()) ?? '';
      expire(server);
      expect(await isAccepted(await first.client.renew(token))).toBe(true);
    }
    const stale = (await second.client.accessToken()) ?? '';
    expect(await second.client.renew(stale)).toBe(await first.client.accessToken());
    expect(await countRefreshes(server)).toEqual({ ok: 3 });
  });

  it('two tabs without locks can refresh at the same moment', async () => {
    const [first, second] = await openTwo({ platform: { locks: undefined } });
    await new Promise<void>((resolve) =>
      second.client.user ? resolve() : void nextUser(second).then(() => resolve()),
    );
    const token = (await first.client.accessToken()) ?? '';
    expire(server);
    const tokens = await Promise.all([first.client.renew(token), second.client.renew(token)]);
    for (const renewed of tokens) expect(await isAccepted(renewed)).toBe(true);
    expire(server);
    expect(await isAccepted(await second.client.renew((await second.client.accessToken()) ?? ''))).toBe(true);
    expect([first.signedOut, second.signedOut]).toEqual([[], []]);
  });

  it('a second tab refreshes if the refresh of the first one fails', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    expire(server);
    const held = first.hold('refresh');
    const failed = first.client.renew(token).catch(({ code }) => code);
    await held.arrived;
    const renewed = second.client.renew(token);
    await cutRefresh(first, held);
    expect(await failed).toBe('NETWORK_ERROR');
    expect(await isAccepted(await renewed)).toBe(true);
    expect(await first.client.accessToken()).toBe(await renewed);
  });
});

describe('a rejected refresh', () => {
  it('a rejected refresh signs out each tab once', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    await server.send('mutation { logout }', { token });
    await Promise.all([first.client.renew(token), second.client.renew(token)]);
    expect([first.signedOut, second.signedOut]).toEqual([['REVOKED'], ['REVOKED']]);
  });

  it('a rejected refresh of the previous session keeps a login of another tab', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    await server.send('mutation { logout }', { token });
    const held = second.hold('refresh');
    const renewed = second.client.renew(token);
    await held.arrived;
    await first.client.login(ADA);
    held.release();
    await renewed;
    expect(await isAccepted(await first.client.accessToken())).toBe(true);
    expect(first.signedOut).toEqual([]);
  });
});

describe('a revoked session', () => {
  it('a revoked session is signed out once in each tab', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    const received = nextUser(second);
    first.client.revoked(token);
    await received;
    second.client.revoked(token);
    expect([first.signedOut, second.signedOut]).toEqual([['TOKEN_REVOKED'], ['TOKEN_REVOKED']]);
  });
});

describe('a stored session', () => {
  const open = (storage: ReturnType<typeof createLocalStorage>) =>
    tabs.open({
      storage: 'localStorage',
      platform: { storage, locks: undefined, openChannel: undefined },
    });

  it('a stored session is available at once after a reload', async () => {
    const storage = createLocalStorage();
    const before = open(storage);
    const user = await before.client.register(ADA);
    const after = open(storage);
    expect(after.client.user).toEqual(user);
    expect(await after.client.accessToken()).toBe(await before.client.accessToken());
    expect(after.sent).toEqual([]);
  });

  it('a stored session is refreshed first if the wall clock was set back', async () => {
    const storage = createLocalStorage();
    await open(storage).client.register(ADA);
    const key = `bandha:1:${server.url}/graphql`;
    const stored = JSON.parse(storage.getItem(key) ?? '');
    stored.tokens.expiresAtMs += 3_600_000;
    storage.setItem(key, JSON.stringify(stored));
    const after = open(storage);
    expect(await isAccepted(await after.client.accessToken())).toBe(true);
    expect(after.sent).toEqual(['refresh']);
  });

  it('a logout that reaches another tab late still removes the stored session', async () => {
    const storage = createLocalStorage();
    let slow: SlowChannel | undefined;
    const first = tabs.open({ storage: 'localStorage', platform: { storage } });
    await first.client.register(ADA);
    const second = tabs.open({
      storage: 'localStorage',
      platform: {
        storage,
        openChannel: (name) => {
          slow = createSlowChannel(name);
          return slow;
        },
      },
    });
    await second.client.ready;
    const held = second.hold('refresh');
    const renewed = second.client.renew((await second.client.accessToken()) ?? '');
    await held.arrived;
    slow?.shut();
    await first.client.logout();
    held.release();
    await renewed;
    const received = nextUser(second);
    slow?.open();
    expect(await received).toBeNull();
    expect(tabs.open({ storage: 'localStorage', platform: { storage } }).client.user).toBeNull();
  });

  it('logout removes the stored session', async () => {
    const storage = createLocalStorage();
    const before = open(storage);
    await before.client.register(ADA);
    await before.client.logout();
    expect(open(storage).client.user).toBeNull();
  });

  it('an unreadable or blocked storage counts as no session', async () => {
    const storage = createLocalStorage();
    for (const text of ['{', 'null', '{"tokens":{}}', '7']) {
      storage.setItem(`bandha:1:${server.url}/graphql`, text);
      expect(open(storage).client.user).toBeNull();
    }
    const block = () => {
      throw new Error('SecurityError');
    };
    const blocked = open({ getItem: block, setItem: block, removeItem: block });
    await blocked.client.register(ADA);
    expect(await isAccepted(await blocked.client.accessToken())).toBe(true);
    await blocked.client.logout();
    expect(blocked.client.user).toBeNull();
  });

  it('logout of an older session keeps the stored session of a later login', async () => {
    const storage = createLocalStorage();
    const first = open(storage);
    await first.client.register(ADA);
    const second = open(storage);
    await second.client.login(ADA);
    await first.client.logout();
    const third = open(storage);
    expect(third.client.user?.email).toBe(ADA.email);
    expect(await isAccepted(await third.client.accessToken())).toBe(true);
  });
});

describe('close', () => {
  it('close disconnects from other tabs and keeps the session', async () => {
    const [first, second] = await openTwo();
    second.client.close();
    await second.client.ready;
    await first.client.logout();
    expect(second.client.user?.email).toBe(ADA.email);
    expect(second.signedOut).toEqual([]);
    const { held = [] } = await navigator.locks.query();
    expect(held.filter(({ name }) => name?.includes(server.url))).toEqual([]);
  });

  it('close lets a refresh in flight reach the other tabs first', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    const held = first.hold('refresh');
    const renewed = first.client.renew(token);
    await held.arrived;
    first.client.close();
    const secondRenewal = second.client.renew(token);
    held.release();
    expect(await secondRenewal).toBe(await renewed);
    expect(await isAccepted(await secondRenewal)).toBe(true);
    expect(second.sent).toEqual([]);
  });
});
