// Simulates tabs of one browser with clients in this process: Node's locks and channels, a clock that tests move, and
// responses that tests can delay.
import { createClient } from '../../../src/client/client.ts';
import type { AuthClient, Credentials, SignedOutReason, User } from '../../../src/client/index.ts';
import type { Channel, Platform } from '../../../src/client/platform.ts';
import { GOOD_PASSWORD, type TestServer } from '../../support/test-server.ts';

export const ADA: Credentials = { email: 'ada@example.com', password: GOOD_PASSWORD };
export const SECURE = 'query Secure { secureData { message user { email } } }';

export type Field = 'register' | 'login' | 'refresh' | 'logout';

export interface HeldResponse {
  /** Resolves when the server has responded. */
  arrived: Promise<void>;
  /** Delivers the response to the client, or a network error instead. */
  release(error?: Error): void;
}

export interface Tab {
  client: AuthClient;
  clock: { nowMs: number };
  /** First fields of the client's own operations, in the order they were sent. */
  sent: Field[];
  signedOut: SignedOutReason[];
  users: (User | null)[];
  /** Delays the next response to `field`. */
  hold(field: Field): HeldResponse;
}

export interface TabOptions {
  storage?: 'memory' | 'localStorage';
  platform?: Partial<Platform>;
  /** @default the URL of the server */
  url?: string;
  fetch?: typeof fetch;
}

/** Loses the responses to both attempts of a refresh. */
export async function cutRefresh(tab: Tab, held = tab.hold('refresh')): Promise<void> {
  await held.arrived;
  const again = tab.hold('refresh');
  held.release(new TypeError('terminated')); // the server has rotated the token, but the client has no response
  await again.arrived;
  again.release(new TypeError('terminated'));
}

/** Creates tabs of the server. Call `close` after the test. */
export function createTabs(server: () => TestServer): {
  open(options?: TabOptions): Tab;
  close(): void;
} {
  const clients: AuthClient[] = [];
  return {
    open({ storage = 'memory', platform, url = `${server().url}/graphql`, fetch: send = fetch } = {}) {
      const clock = { nowMs: Math.round(performance.now()) }; // an integer, so that added seconds give exact sums
      const sent: Field[] = [];
      const gates = new Map<Field, { arrived: () => void; opened: Promise<void> }>();
      const fetchHeld: typeof fetch = async (input, init) => {
        const field = findField(init?.body);
        sent.push(field);
        const response = await send(input, init);
        const gate = gates.get(field);
        gates.delete(field);
        gate?.arrived();
        await gate?.opened;
        return response;
      };
      const client = createClient(
        { url, storage, fetch: fetchHeld },
        {
          now: () => clock.nowMs,
          baseUrl: undefined,
          storage: undefined,
          locks: navigator.locks,
          openChannel: (name) => new BroadcastChannel(name),
          ...platform,
        },
      );
      clients.push(client);
      const tab: Tab = {
        client,
        clock,
        sent,
        signedOut: [],
        users: [],
        hold(field) {
          const arrived = Promise.withResolvers<void>();
          const opened = Promise.withResolvers<void>();
          gates.set(field, { arrived: arrived.resolve, opened: opened.promise });
          return {
            arrived: arrived.promise,
            release: (error) => (error ? opened.reject(error) : opened.resolve()),
          };
        },
      };
      client.onSignedOut((reason) => tab.signedOut.push(reason));
      client.onUserChanged((user) => tab.users.push(user));
      return tab;
    },
    close() {
      for (const client of clients.splice(0)) client.close();
    },
  };
}

function findField(body: unknown): Field {
  const [, field] = /\{(\w+)\(/.exec(JSON.parse(String(body)).query) ?? [];
  return field as Field; // the client sends no others
}

export interface SlowChannel extends Channel {
  /** Delays messages until `open`. */
  shut(): void;
  open(): void;
}

/** Creates a channel whose messages can be delayed. */
export function createSlowChannel(name: string): SlowChannel {
  const channel = new BroadcastChannel(name);
  let opened: PromiseWithResolvers<void> | undefined;
  return {
    shut() {
      opened = Promise.withResolvers();
    },
    open() {
      opened?.resolve();
      opened = undefined;
    },
    postMessage: (message) => channel.postMessage(message),
    close: () => channel.close(),
    get onmessage() {
      return channel.onmessage;
    },
    set onmessage(listener) {
      channel.onmessage = async (event) => {
        await opened?.promise;
        listener?.call(channel, event);
      };
    },
  };
}

/** Resolves with the next user of the tab, or null when the user has signed out. */
export function nextUser({ client }: Tab): Promise<User | null> {
  const { promise, resolve } = Promise.withResolvers<User | null>();
  const off = client.onUserChanged((user) => {
    off();
    resolve(user);
  });
  return promise;
}

/** Number of refreshes on the server by outcome: `ok` or the reason of the rejection. */
export async function countRefreshes(server: TestServer): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const counted = text.matchAll(/^bandha_account_seconds_count\{verb="refresh",outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...counted].map(([, outcome, count]) => [outcome, Number(count)]));
}

/** Moves the server's clock beyond the expiry of all access tokens and the grace period of all used refresh tokens. */
export function expire(server: TestServer): void {
  server.clock.now = new Date(server.clock.now.getTime() + 601_000);
}
