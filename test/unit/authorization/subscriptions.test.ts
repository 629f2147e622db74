// A subscription ends with the token that opened it.
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GuardOptions } from '../../../src/authorization/guard-options.ts';
import { endOnTokenExpiry, type WatchSession } from '../../../src/authorization/subscriptions.ts';
import { useGuard } from '../../../src/authorization/use-guard.ts';
import type { TokenProblem } from '../../../src/errors.ts';
import { directiveTypeDefs } from '../../../src/graphql/base-schema.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createPrincipal, useCaller } from '../../support/guarded-app.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const DAY_MS = 86_400_000;
const inSeconds = (seconds: number) => NOW.getTime() / 1000 + seconds;

const caller = (exp?: number) =>
  createPrincipal({ authenticatedAt: NOW, claims: exp === undefined ? {} : { exp } });

/** Creates a source of events, which `emit` adds, and records whether the source was started and closed. */
function createSource<T>() {
  const events: T[] = [];
  const readers: ((result: IteratorResult<T>) => void)[] = [];
  let closings = 0;
  let started = 0;
  const closed = Promise.withResolvers<void>();
  const source: AsyncIterable<T> = {
    [Symbol.asyncIterator]() {
      started += 1;
      return {
        next: () =>
          new Promise((resolve) => {
            const value = events.shift();
            if (value === undefined) readers.push(resolve);
            else resolve({ done: false, value });
          }),
        return: async () => {
          closings += 1;
          closed.resolve();
          return { done: true, value: undefined };
        },
      };
    },
  };
  function emit(value: T) {
    const read = readers.shift();
    if (read === undefined) events.push(value);
    else read({ done: false, value });
  }
  return {
    source,
    emit,
    closed: closed.promise,
    closings: () => closings,
    started: () => started,
    finish: () => readers.shift()?.({ done: true, value: undefined }),
  };
}

const DONE = { done: true, value: undefined };
const EVENT: ExecutionResult = { data: { ticks: 1 } };
const reasonOf = (result: IteratorResult<ExecutionResult>) =>
  (result.value?.errors as GraphQLError[] | undefined)?.map(({ extensions }) => extensions.reason);

describe('endOnTokenExpiry', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const now = () => new Date();

  function open(principal = caller(inSeconds(600))) {
    const source = createSource<ExecutionResult>();
    const watch = { end: (_: TokenProblem) => {}, stopped: 0 };
    const iterator = endOnTokenExpiry(source.source, principal, {
      now,
      watchSession: (_, onEnd) => {
        watch.end = onEnd;
        return () => {
          watch.stopped += 1;
        };
      },
    });
    return { ...source, watch, iterator };
  }

  it('a subscription passes events on', async () => {
    const { iterator, emit, closings } = open();
    emit(EVENT);
    expect(await iterator.next()).toEqual({ done: false, value: EVENT });
    const next = iterator.next();
    emit(EVENT);
    expect(await next).toEqual({ done: false, value: EVENT });
    expect(closings()).toBe(0);
  });

  it.each(['before', 'after'] as const)(
    'a subscription ends when the token expires, with next() called %s',
    async (when) => {
      const { iterator, closings, watch } = open();
      const early = when === 'before' ? iterator.next() : undefined;
      vi.advanceTimersByTime(599_999);
      expect(closings()).toBe(0);
      vi.advanceTimersByTime(1);
      expect(reasonOf(await (early ?? iterator.next()))).toEqual(['TOKEN_EXPIRED']);
      expect(await iterator.next()).toEqual(DONE);
      expect([closings(), watch.stopped]).toEqual([1, 1]);
    },
  );

  it.each(['TOKEN_REVOKED', 'TOKEN_EXPIRED'] as const)(
    'a subscription ends once when watchSession reports %s',
    async (problem) => {
      const { iterator, closings, watch } = open();
      const next = iterator.next();
      watch.end(problem);
      watch.end('TOKEN_REVOKED');
      expect(reasonOf(await next)).toEqual([problem]);
      expect(await iterator.next()).toEqual(DONE);
      expect([closings(), watch.stopped]).toEqual([1, 1]);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('one pending read gets the error, the others are done', async () => {
    const { iterator, watch } = open();
    const [first, second] = [iterator.next(), iterator.next()];
    watch.end('TOKEN_REVOKED');
    expect(reasonOf(await first)).toEqual(['TOKEN_REVOKED']);
    expect(await second).toEqual(DONE);
  });

  it('a subscription ends at once if the token has already expired', async () => {
    const { iterator } = open(caller(inSeconds(-1)));
    const next = iterator.next();
    vi.advanceTimersByTime(0);
    expect(reasonOf(await next)).toEqual(['TOKEN_EXPIRED']);
  });

  it('a subscription stops watching a session that was already revoked', async () => {
    const source = createSource<ExecutionResult>();
    let stopped = 0;
    const iterator = endOnTokenExpiry(source.source, caller(inSeconds(600)), {
      now,
      watchSession: (_, onEnd) => {
        onEnd('TOKEN_REVOKED');
        return () => {
          stopped += 1;
        };
      },
    });
    expect(reasonOf(await iterator.next())).toEqual(['TOKEN_REVOKED']);
    expect([source.closings(), stopped]).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a subscription lasts until a token expires that outlasts the longest timer', async () => {
    const { iterator, closings } = open(caller(inSeconds((60 * DAY_MS) / 1000)));
    const next = iterator.next();
    vi.advanceTimersByTime(59 * DAY_MS);
    expect(closings()).toBe(0);
    vi.advanceTimersByTime(DAY_MS);
    expect(reasonOf(await next)).toEqual(['TOKEN_EXPIRED']);
  });

  it('a subscription does not end if its token has no exp', async () => {
    const { closings } = open(caller());
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(closings()).toBe(0);
  });

  it.each(['return', 'throw'] as const)(
    'a subscription closes its source when the client calls %s',
    async (method) => {
      const { iterator, closings, watch } = open();
      const pending = iterator.next();
      const closing = iterator[method]?.(new Error('gone'));
      if (method === 'throw') await expect(closing).rejects.toThrow('gone');
      else expect(await closing).toEqual(DONE);
      expect(await pending).toEqual(DONE);
      expect(await iterator.next()).toEqual(DONE);
      expect([closings(), watch.stopped, vi.getTimerCount()]).toEqual([1, 1, 0]);
    },
  );

  it('a subscription stops watching the session when its source ends', async () => {
    const { iterator, finish, watch } = open();
    const next = iterator.next();
    finish();
    expect(await next).toEqual(DONE);
    expect([watch.stopped, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it.each<[string, () => Promise<IteratorResult<ExecutionResult>>]>([
    ['rejects', () => Promise.reject(new Error('stuck'))],
    [
      'throws',
      () => {
        throw new Error('stuck');
      },
    ],
    ['never settles', () => new Promise(() => {})],
  ])('a subscription ends even if closing its source %s', async (_, close) => {
    const source = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: close }),
    };
    let end = () => {};
    const watchSession: WatchSession = (_, onEnd) => {
      end = () => onEnd('TOKEN_REVOKED');
      return () => {};
    };
    const iterator = endOnTokenExpiry(source, caller(), { now, watchSession });
    const next = iterator.next();
    expect(end).not.toThrow();
    expect(reasonOf(await next)).toEqual(['TOKEN_REVOKED']);
  });

  it('a subscription passes an error of its source on and closes', async () => {
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) };
    const iterator = endOnTokenExpiry(failing, caller(inSeconds(600)), { now, watchSession: undefined });
    await expect(iterator.next()).rejects.toThrow('broken');
    expect(await iterator.next()).toEqual(DONE);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a subscription', () => {
  const TYPES = `${directiveTypeDefs}
    type Query { open: Int }
    type Tick { at: Int secret: Int @auth(roles: ["admin"]) }
    type Subscription { ticks: Tick @auth }
  `;

  function createApp(principal: Principal | null, options: GuardOptions = {}) {
    const ticks = createSource<{ ticks: { at: number; secret: number } }>();
    let secrets = 0;
    const schema = makeExecutableSchema({
      typeDefs: TYPES,
      resolvers: {
        Subscription: { ticks: { subscribe: () => ticks.source } },
        Tick: {
          secret: () => {
            secrets += 1;
            return 2;
          },
        },
      },
    });
    const guard = useGuard({ log: { warn() {} }, now: () => NOW, ...options });
    const yoga = createYoga({ schema, logging: false, plugins: [useCaller(principal), guard] });
    const subscribe = (query: string) =>
      yoga.fetch(`http://yoga/graphql?query=${encodeURIComponent(query)}`, {
        headers: { accept: 'text/event-stream' },
      });
    return { ticks, subscribe, secrets: () => secrets };
  }

  it.each(['reject', 'null'] as const)(
    'a denied subscription never starts its source, onDenied %s',
    async (onDenied) => {
      const { ticks, subscribe } = createApp(null, { onDenied });
      const text = await (await subscribe('subscription { ticks { at } }')).text();
      expect(text).toContain('"reason":"MISSING_TOKEN"');
      expect(ticks.started()).toBe(0);
    },
  );

  it('a permitted subscription has null for denied fields of its events', async () => {
    const { ticks, subscribe, secrets } = createApp(caller(), { onDenied: 'null' });
    ticks.emit({ ticks: { at: 1, secret: 2 } });
    const { body } = await subscribe('subscription { ticks { at secret } }');
    const text = await readUntil(body, '"reason":"MISSING_ROLE"');
    expect(text).toContain('"ticks":{"at":1,"secret":null}');
    await ticks.closed;
    expect(secrets()).toBe(0);
  });

  it('a subscription over HTTP ends with its token', async () => {
    // The clock is 20 ms before the expiry, so the real timer waits only that long.
    const { ticks, subscribe } = createApp(caller(inSeconds(0.02)));
    const text = await (await subscribe('subscription { ticks { at } }')).text();
    expect(text).toContain('"reason":"TOKEN_EXPIRED"');
    expect(ticks.closings()).toBe(1);
  });

  it.each(['TOKEN_REVOKED', 'TOKEN_EXPIRED'] as const)(
    'the last event of a subscription is %s when watchSession reports it',
    async (problem) => {
      const watched = Promise.withResolvers<(problem: TokenProblem) => void>();
      const { ticks, subscribe } = createApp(caller(), {
        watchSession: (_, onEnd) => {
          watched.resolve(onEnd);
          return () => {};
        },
      });
      const query = 'subscription { ticks { at } }';
      const [response, end] = await Promise.all([subscribe(query), watched.promise]);
      end(problem);
      const text = await response.text();
      expect(text).toContain(`"reason":"${problem}"`);
      expect(text.trimEnd()).toMatch(/event: complete\ndata:?$/);
      expect(ticks.closings()).toBe(1);
    },
  );

  it('a subscription closes its source when the client disconnects', async () => {
    const { ticks, subscribe } = createApp(caller());
    ticks.emit({ ticks: { at: 1, secret: 2 } });
    const { body } = await subscribe('subscription { ticks { at } }');
    await readUntil(body, '"at":1');
    await ticks.closed;
    expect(ticks.closings()).toBe(1);
  });
});

/** Reads up to `end`, then cancels the stream. */
async function readUntil(body: ReadableStream<Uint8Array> | null, end: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(end)) break;
  }
  return text;
}
