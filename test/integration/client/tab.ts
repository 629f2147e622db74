// Clients in this process as if each were a tab of one browser: with Node's own locks and channels, a monotonic clock to
// move, and answers that can be held back.

import { createClient } from '../../../src/client/client.ts';
import type { AuthClient, Credentials, SignedOutReason, User } from '../../../src/client/index.ts';
import type { Channel, Platform } from '../../../src/client/platform.ts';
import { GOOD_PASSWORD, type TestServer } from '../../support/test-server.ts';

export const ADA: Credentials = { email: 'ada@example.com', password: GOOD_PASSWORD };
export const SECURE = 'query Secure { secureData { message user { email } } }';

export type Field = 'register' | 'login' | 'refresh' | 'logout';

export interface Held {
  /** The server has answered. */
  arrived: Promise<void>;
  /** The client gets the answer, or a network fault in its place. */
  release(fault?: Error): void;
}

export interface Tab {
  client: AuthClient;
  clock: { nowMs: number };
  /** Bandha's own operations, in the order they were sent. */
  sent: Field[];
  signedOut: SignedOutReason[];
  users: (User | null)[];
  /** Keeps the next answer to `field` back. */
  hold(field: Field): Held;
}

export interface TabOptions {
  storage?: 'memory' | 'localStorage';
  platform?: Partial<Platform>;
  /** Default: the server's own. */
  url?: string;
  fetch?: typeof fetch;
}

/** Cuts both tries of a refresh after the server has answered. */
export async function cutRefresh(tab: Tab, held = tab.hold('refresh')): Promise<void> {
  await held.arrived;
  const again = tab.hold('refresh');
  held.release(new TypeError('terminated')); // the server has rotated, and nobody knows
  await again.arrived;
  again.release(new TypeError('terminated'));
}

/** Opens tabs on the server; `close` is for after the test. */
export function createTabs(server: () => TestServer): {
  open(options?: TabOptions): Tab;
  close(): void;
} {
  const clients: AuthClient[] = [];
  return {
    open({ storage = 'memory', platform, url = `${server().url}/graphql`, fetch: send = fetch } = {}) {
      const clock = { nowMs: Math.round(performance.now()) }; // whole numbers, so that seconds added make an exact sum
      const sent: Field[] = [];
      const gates = new Map<Field, { arrived: () => void; opened: Promise<void> }>();
      const fetchHeld: typeof fetch = async (input, init) => {
        const field = fieldOf(init?.body);
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
            release: (fault) => (fault ? opened.reject(fault) : opened.resolve()),
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

function fieldOf(body: unknown): Field {
  const [, field] = /\{(\w+)\(/.exec(JSON.parse(String(body)).query) ?? [];
  return field as Field; // the client sends no others
}

export interface SlowChannel extends Channel {
  /** From now on it keeps what it hears, until `open`. */
  shut(): void;
  open(): void;
}

/** A channel whose messages can be kept back. */
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

/** Resolves once `client` has heard who is signed in, or that nobody is. */
export function nextUser({ client }: Tab): Promise<User | null> {
  const { promise, resolve } = Promise.withResolvers<User | null>();
  const off = client.onUserChanged((user) => {
    off();
    resolve(user);
  });
  return promise;
}

/** How often the server was asked to refresh, by what became of it: `ok` or the reason of the refusal. */
export async function countRefreshes(server: TestServer): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const counted = text.matchAll(/^bandha_account_seconds_count\{verb="refresh",outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...counted].map(([, outcome, count]) => [outcome, Number(count)]));
}

/** The server refuses all access tokens that there are as expired, and answers no old refresh token again. */
export function expire(server: TestServer): void {
  server.clock.now = new Date(server.clock.now.getTime() + 601_000);
}
