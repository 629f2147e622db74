// The options of `createAuthClient`.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AuthClient,
  type AuthClientOptions,
  type AuthPayload,
  createAuthClient,
} from '../../../src/client/index.ts';
import { GOOD_PASSWORD, startTestServer, type TestServer } from '../../support/test-server.ts';
import { ADA, expire, SECURE } from './tab.ts';

let server: TestServer;
let url: string;
const clients: AuthClient[] = [];
beforeEach(async () => {
  server = await startTestServer();
  url = `${server.url}/graphql`;
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function open(options: Partial<AuthClientOptions> = {}): AuthClient {
  const client = createAuthClient({ url, ...options });
  clients.push(client);
  return client;
}
const isAccepted = async (token: string | null) =>
  (await server.send(SECURE, { token: token ?? '' })).status === 200;

describe('invalid options', () => {
  const PAYLOAD = { accessToken: 'secret-a', refreshToken: 'secret-r', expiresIn: 600, user: { id: '1' } };
  it.each<[string, unknown, RegExp]>([
    ['an unknown name', { url: 'http://a/', token: 'secret' }, /unknown option "token"/],
    ['a name of Object.prototype', { url: 'http://a/', toString: 'secret' }, /unknown option "toString"/],
    ['a name in another case', { url: 'http://a/', Storage: 'memory' }, /unknown option "Storage"/],
    ['a missing url', {}, /url must be a string or a URL/],
    ['a url of another type', { url: 4000 }, /url must be a string or a URL/],
    ['a relative url without a page', { url: '/graphql' }, /URL/],
    ['no options', undefined, /pass \{ url \}/],
    ['null', null, /pass \{ url \}/],
    ['a url instead of options', 'http://localhost/secret', /pass \{ url \}/],
    ['an unknown storage', { url: 'http://a/', storage: 'sessionStorage' }, /storage must be/],
    ['a storage that is null', { url: 'http://a/', storage: null }, /storage must be/],
    ['an incomplete storage', { url: 'http://a/', storage: { getItem: () => null } }, /storage must be/],
    ['a fetch that is not a function', { url: 'http://a/', fetch: {} }, /fetch must be a function/],
    ['a token instead of a payload', { url: 'http://a/', tokens: 'secret' }, /tokens must be an AuthPayload/],
    ['an incomplete payload', { url: 'http://a/', tokens: { accessToken: 'secret' } }, /tokens must be/],
    [
      'a payload without a lifetime',
      { url: 'http://a/', tokens: { ...PAYLOAD, expiresIn: undefined } },
      /tokens must be/,
    ],
    ['a payload without a user', { url: 'http://a/', tokens: { ...PAYLOAD, user: null } }, /tokens must be/],
  ])('createAuthClient rejects %s with the name and without the value', (_, options, message) => {
    const create = () => createAuthClient(options as AuthClientOptions); // JavaScript can pass anything
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
    expect(create).not.toThrow(/secret/);
  });

  it('an undefined option has its default', async () => {
    const client = open({ storage: undefined, fetch: undefined, tokens: undefined });
    expect((await client.register(ADA)).email).toBe(ADA.email);
  });
});

describe('fetch', () => {
  it('the global fetch is read at each request', async () => {
    const client = open();
    const original = globalThis.fetch;
    const sent: unknown[] = [];
    vi.stubGlobal('fetch', function (this: unknown, ...request: Parameters<typeof fetch>) {
      sent.push(this);
      return original(...request);
    });
    await client.register(ADA);
    await client.logout();
    expect(sent).toEqual([globalThis, globalThis]);
    vi.unstubAllGlobals();
    await client.login(ADA);
    expect(sent).toHaveLength(2);
  });

  it('the option fetch is used instead of the global one', async () => {
    const sent: unknown[] = [];
    const original = globalThis.fetch;
    const client = open({
      fetch(...request) {
        sent.push(request[0]);
        return original(...request);
      },
    });
    vi.stubGlobal('fetch', () => Promise.reject(new Error('not this one')));
    await client.register(ADA);
    expect(sent).toEqual([url]);
  });

  it('the option fetch accepts an unbound function', async () => {
    const client = open({ fetch: globalThis.fetch });
    expect((await client.register(ADA)).email).toBe(ADA.email);
  });
});

describe('tokens', () => {
  const register = async (email: string): Promise<AuthPayload> => {
    const fields = 'accessToken refreshToken tokenType expiresIn user { id email roles createdAt }';
    const { body } = await server.send(
      `mutation { register(email: "${email}", password: "${GOOD_PASSWORD}") { ${fields} } }`,
    );
    return body.data.register;
  };

  it('the option tokens signs in at once, and its tokens are refreshed', async () => {
    const tokens = await register('grace@example.com');
    const client = open({ tokens });
    expect(client.user?.id).toBe(tokens.user.id);
    expect(await client.accessToken()).toBe(tokens.accessToken);
    expire(server);
    const renewed = await client.renew(tokens.accessToken);
    expect(renewed).not.toBe(tokens.accessToken);
    expect(await isAccepted(renewed)).toBe(true);
  });

  it('the option tokens replaces a stored session', async () => {
    const storage = createMemoryStorage();
    await open({ storage }).register(ADA);
    const tokens = await register('grace@example.com');
    const client = open({ storage, tokens });
    await client.ready;
    expect(client.user?.id).toBe(tokens.user.id);
    const next = open({ storage });
    await next.ready;
    expect(next.user?.id).toBe(tokens.user.id);
  });

  it('the option tokens accepts null for a caller who is signed out', async () => {
    const client = open({ tokens: null });
    await client.ready;
    expect(client.user).toBeNull();
  });
});

describe('features of a page', () => {
  it('local storage and locks are read at each use', async () => {
    const [first, second] = [createMemoryStorage(), createMemoryStorage()];
    vi.stubGlobal('document', {});
    vi.stubGlobal('localStorage', first);
    const client = open({ storage: 'localStorage' });
    await client.ready;
    vi.stubGlobal('localStorage', second);
    const names: string[] = [];
    const { locks } = navigator;
    vi.stubGlobal('navigator', {
      locks: {
        query: () => locks.query(),
        request(...request: Parameters<LockManager['request']>) {
          names.push(request[0]);
          return locks.request(...request);
        },
      },
    });
    await client.register(ADA);
    expect([first.items.size, second.items.size]).toEqual([0, 1]);
    expect(names).toHaveLength(1);
  });
});

/** A synchronous storage, like that of a page. */
function createMemoryStorage(items = new Map<string, string>()) {
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/** An asynchronous storage, like React Native's `AsyncStorage`. A later call may finish before an earlier one. */
function createAsyncStorage() {
  const { items, ...storage } = createMemoryStorage();
  let calls = 0;
  const delay = async <T>(call: () => T): Promise<T> => {
    calls += 1;
    for (let ticks = calls % 2 === 0 ? 1 : 50; ticks > 0; ticks -= 1) await undefined;
    return call();
  };
  return {
    items,
    getItem: (key: string) => delay(() => storage.getItem(key)),
    setItem: (key: string, value: string) => delay(() => storage.setItem(key, value)),
    removeItem: (key: string) => delay(() => storage.removeItem(key)),
  };
}

describe.each([
  ['synchronous', createMemoryStorage],
  ['asynchronous', createAsyncStorage],
])('%s storage of the app', (_, create) => {
  it('a storage has the session after signing in, and a new client loads it', async () => {
    const storage = create();
    const client = open({ storage });
    const user = await client.register(ADA);
    expect(storage.items.size).toBe(1);
    const next = open({ storage });
    await next.ready;
    expect(next.user).toEqual(user);
    expect(await next.accessToken()).toBe(await client.accessToken());
  });

  it('a storage has the latest tokens after a refresh', async () => {
    const storage = create();
    const client = open({ storage });
    await client.register(ADA);
    expire(server);
    const renewed = await client.renew((await client.accessToken()) ?? '');
    const next = open({ storage });
    await next.ready;
    expect(await next.accessToken()).toBe(renewed);
  });

  it('a storage is empty after signing out, also right after signing in', async () => {
    const storage = create();
    const client = open({ storage });
    await client.register(ADA);
    await client.logout();
    expect(storage.items.size).toBe(0);
    const signedIn = client.login(ADA);
    await signedIn;
    await client.logout();
    expect(storage.items.size).toBe(0);
  });
});

describe('failing storage of the app', () => {
  const never = () => new Promise<never>(() => {});
  const fail = () => Promise.reject(new Error('disk full'));
  const crash = () => {
    throw new Error('blocked');
  };
  it.each<[string, () => Promise<never>]>([
    ['rejects', fail],
    ['throws', crash],
    ['never settles', never],
  ])('a storage that %s leaves the session in memory', async (_, method) => {
    const client = open({ storage: { getItem: method, setItem: method, removeItem: method } });
    expect((await client.register(ADA)).email).toBe(ADA.email);
    expect(await isAccepted(await client.accessToken())).toBe(true);
    await client.logout();
    expect(client.user).toBeNull();
  });

  it('a storage with an unreadable value counts as empty', async () => {
    for (const text of ['', 'no JSON', '[]', '{"tokens":{}}', 'null']) {
      const client = open({ storage: { ...createAsyncStorage(), getItem: async () => text } });
      await client.ready;
      expect(client.user).toBeNull();
    }
  });
});
