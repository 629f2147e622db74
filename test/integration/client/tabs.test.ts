// Several tabs, with Node's own locks and channels in the place of a browser's.
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

/** The parts of `bandha:1:http://host:port/graphql`, the name of the lock that whoever refreshes holds. */
const BARE_NAME_PARTS = 5;

const bindLocks = () => ({
  request: navigator.locks.request.bind(navigator.locks),
  query: navigator.locks.query.bind(navigator.locks),
});

/** Two tabs with one session. */
async function openTwo(options?: TabOptions): Promise<[Tab, Tab]> {
  const first = tabs.open(options);
  await first.client.register(ADA);
  const second = tabs.open(options);
  await second.client.ready;
  return [first, second];
}

/** What a browser keeps for all pages of an origin. */
function createLocalStorage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

describe('a new tab', () => {
  it('takes the session over from one that is open, and is ready then', async () => {
    const [first, second] = await openTwo();
    expect(second.client.user).toEqual(first.client.user);
    expect(await second.client.accessToken()).toBe(await first.client.accessToken());
    expect(second.sent).toEqual([]);
  });

  it('waits for nobody where nobody is signed in', async () => {
    const first = tabs.open();
    await first.client.register(ADA);
    await first.client.logout();
    const queried: number[] = [];
    const channels: string[] = [];
    const second = tabs.open({
      platform: {
        openChannel: (name) => {
          const channel = new BroadcastChannel(name);
          const post = channel.postMessage.bind(channel);
          channel.postMessage = (message) => {
            channels.push(message === null ? 'ask' : 'tell');
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
    expect(channels).toEqual([]);
    expect(second.client.user).toBeNull();
  });

  it('hears of a login that comes later', async () => {
    const [first, second] = [tabs.open(), tabs.open()];
    await second.client.ready;
    const heard = nextUser(second);
    const user = await first.client.register(ADA);
    expect(await heard).toEqual(user);
    expect(await isAccepted(await second.client.accessToken())).toBe(true);
  });

  it('shares nothing with tabs of another server', async () => {
    const other = await startTestServer();
    const first = tabs.open();
    await first.client.register(ADA);
    const foreign = tabs.open({ url: `${other.url}/graphql` });
    await foreign.client.ready;
    expect(foreign.client.user).toBeNull();
    await other.close();
  });

  it('takes the session over without locks too, when it is told', async () => {
    const first = tabs.open({ platform: { locks: undefined } });
    await first.client.register(ADA);
    const second = tabs.open({ platform: { locks: undefined } });
    const heard = nextUser(second);
    await second.client.ready;
    expect(await heard).toEqual(first.client.user);
  });
});

describe('a logout', () => {
  it('signs out every tab once', async () => {
    const [first, second] = await openTwo();
    const heard = nextUser(second);
    await first.client.logout();
    expect(await heard).toBeNull();
    expect(await second.client.accessToken()).toBeNull();
    expect([first.signedOut, second.signedOut]).toEqual([['LOGOUT'], ['LOGOUT']]);
  });

  it('in one tab is not undone by a refresh that is under way in another', async () => {
    const [first, second] = await openTwo();
    const token = (await second.client.accessToken()) ?? '';
    const held = second.hold('refresh');
    const renewed = second.client.renew(token);
    await held.arrived;
    const heard = nextUser(second);
    await first.client.logout();
    await heard;
    held.release();
    expect(await renewed).toBeNull();
    expect([first.client.user, second.client.user]).toEqual([null, null]);
    expect([first.signedOut, second.signedOut]).toEqual([['LOGOUT'], ['LOGOUT']]);
  });

  it('is not undone where the refresh is told before the logout is heard', async () => {
    const [first, second] = await openTwo();
    const third = tabs.open();
    await third.client.ready;
    const token = (await second.client.accessToken()) ?? '';
    const held = second.hold('refresh');
    const renewed = second.client.renew(token);
    await held.arrived;
    const heard = [nextUser(second), nextUser(third)];
    held.release();
    const loggedOut = first.client.logout(); // at the same moment as the answer arrives
    await Promise.all([loggedOut, renewed, ...heard]);
    expect([first, second, third].map(({ client }) => client.user)).toEqual([null, null, null]);
    expect([first, second, third].map(({ signedOut }) => signedOut)).toEqual([
      ['LOGOUT'],
      ['LOGOUT'],
      ['LOGOUT'],
    ]);
  });
});

describe('an expiry', () => {
  it('costs one rotation however many tabs ask at once, twenty times over', async () => {
    const [first, second] = await openTwo();
    const third = tabs.open();
    await third.client.ready;
    const all = [first, second, third];
    for (let expiry = 1; expiry <= 20; expiry += 1) {
      const token = (await first.client.accessToken()) ?? '';
      expire(server);
      const asked = all.flatMap(({ client }) => Array.from({ length: 5 }, () => client.renew(token)));
      const tokens = new Set(await Promise.all(asked));
      expect(tokens.size).toBe(1);
      expect(await isAccepted([...tokens][0] ?? null)).toBe(true);
      expect(await countRefreshes(server)).toEqual({ ok: expiry });
    }
    expect(all.map(({ signedOut }) => signedOut)).toEqual([[], [], []]);
  });

  it('costs one rotation also where the message comes long after the lock', async () => {
    const first = tabs.open();
    await first.client.register(ADA);
    const token = (await first.client.accessToken()) ?? '';
    const slow: SlowChannel[] = [];
    let whenQueried = () => {};
    const second = tabs.open({
      platform: {
        openChannel: (name) => {
          slow.push(createSlowChannel(name));
          return slow[0] as SlowChannel; // just put there
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
    // The second tab hears nothing until it has been given the lock and has looked who else is there.
    slow[0]?.shut();
    const queried = Promise.withResolvers<void>();
    whenQueried = queried.resolve;
    const held = first.hold('refresh');
    const renewed = first.client.renew(token);
    await held.arrived;
    const late = second.client.renew(token);
    held.release();
    await queried.promise;
    slow[0]?.open();
    expect(await late).toBe(await renewed);
    expect(second.sent).toEqual([]);
    expect(await countRefreshes(server)).toEqual({ ok: 1 });
  });

  it('keeps the lock until the other tabs can see what came of it', async () => {
    const order: string[] = [];
    const { request, query } = bindLocks();
    // The way to the browser's locks takes the first tab as long as one to the server.
    const slowly = async (...args: Parameters<typeof request>) => {
      const [name] = args;
      if (name.split(':').length <= BARE_NAME_PARTS) return request(...args);
      await server.send('{ viewer { id } }');
      order.push('shown');
      return request(...args);
    };
    const first = tabs.open({ platform: { locks: { request: slowly as typeof request, query } } }); // its overloads
    await first.client.register(ADA);
    const second = tabs.open({
      platform: {
        locks: {
          request,
          query: () => {
            order.push('looked');
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
    const late = second.client.renew(token);
    held.release();
    expect(await late).toBe(await renewed);
    expect(order).toEqual(['shown', 'looked']);
  });

  it('costs no session where there are neither locks nor channels, but a stored session', async () => {
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

  it('is answered alike to two tabs that refresh at the same moment without locks', async () => {
    const [first, second] = await openTwo({ platform: { locks: undefined } });
    await new Promise<void>((resolve) =>
      second.client.user ? resolve() : void nextUser(second).then(() => resolve()),
    );
    const token = (await first.client.accessToken()) ?? '';
    expire(server);
    const tokens = await Promise.all([first.client.renew(token), second.client.renew(token)]);
    for (const fresh of tokens) expect(await isAccepted(fresh)).toBe(true);
    expire(server);
    expect(await isAccepted(await second.client.renew((await second.client.accessToken()) ?? ''))).toBe(true);
    expect([first.signedOut, second.signedOut]).toEqual([[], []]);
  });

  it('is waited for in another tab also where the first one fails', async () => {
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

describe('a refused refresh', () => {
  it('signs out each tab once', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    await server.send('mutation { logout }', { token });
    await Promise.all([first.client.renew(token), second.client.renew(token)]);
    expect([first.signedOut, second.signedOut]).toEqual([['REVOKED'], ['REVOKED']]);
  });

  it('of the session before leaves a login of another tab alone', async () => {
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
  it('is signed out of in each tab once', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    const heard = nextUser(second);
    first.client.revoked(token);
    await heard;
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

  it('is there at once after a reload, without a refresh', async () => {
    const storage = createLocalStorage();
    const before = open(storage);
    const user = await before.client.register(ADA);
    const after = open(storage);
    expect(after.client.user).toEqual(user);
    expect(await after.client.accessToken()).toBe(await before.client.accessToken());
    expect(after.sent).toEqual([]);
  });

  it('is refreshed first where the wall clock has been set back', async () => {
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

  it('is gone after a logout that another tab hears too late', async () => {
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
    const heard = nextUser(second);
    slow?.open();
    expect(await heard).toBeNull();
    expect(tabs.open({ storage: 'localStorage', platform: { storage } }).client.user).toBeNull();
  });

  it('is gone after a logout', async () => {
    const storage = createLocalStorage();
    const before = open(storage);
    await before.client.register(ADA);
    await before.client.logout();
    expect(open(storage).client.user).toBeNull();
  });

  it('is nobody’s where something else is stored, or storage is forbidden', async () => {
    const storage = createLocalStorage();
    for (const text of ['{', 'null', '{"tokens":{}}', '7']) {
      storage.setItem(`bandha:1:${server.url}/graphql`, text);
      expect(open(storage).client.user).toBeNull();
    }
    const forbid = () => {
      throw new Error('SecurityError');
    };
    const forbidden = open({ getItem: forbid, setItem: forbid, removeItem: forbid });
    await forbidden.client.register(ADA);
    expect(await isAccepted(await forbidden.client.accessToken())).toBe(true);
    await forbidden.client.logout();
    expect(forbidden.client.user).toBeNull();
  });

  it('of a later login is left where an older one ends', async () => {
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
  it('leaves the other tabs and keeps the session', async () => {
    const [first, second] = await openTwo();
    second.client.close();
    await second.client.ready;
    await first.client.logout();
    expect(second.client.user?.email).toBe(ADA.email);
    expect(second.signedOut).toEqual([]);
    const { held = [] } = await navigator.locks.query();
    expect(held.filter(({ name }) => name?.includes(server.url))).toEqual([]);
  });

  it('lets a refresh that is under way reach the other tabs first', async () => {
    const [first, second] = await openTwo();
    const token = (await first.client.accessToken()) ?? '';
    const held = first.hold('refresh');
    const renewed = first.client.renew(token);
    await held.arrived;
    first.client.close();
    const late = second.client.renew(token);
    held.release();
    expect(await late).toBe(await renewed);
    expect(await isAccepted(await late)).toBe(true);
    expect(second.sent).toEqual([]);
  });
});
