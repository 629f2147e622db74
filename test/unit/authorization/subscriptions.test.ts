// A subscription lasts as long as the token it was opened with.
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

/** Events that come when `emit` is called, and whether anybody has closed it. */
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

describe('endWithToken', () => {
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
      watchSession: (_, ended) => {
        watch.end = ended;
        return () => {
          watch.stopped += 1;
        };
      },
    });
    return { ...source, watch, iterator };
  }

  it('passes events on', async () => {
    const { iterator, emit, closings } = open();
    emit(EVENT);
    expect(await iterator.next()).toEqual({ done: false, value: EVENT });
    const next = iterator.next();
    emit(EVENT);
    expect(await next).toEqual({ done: false, value: EVENT });
    expect(closings()).toBe(0);
  });

  it.each(['before', 'after'] as const)('ends when the token expires, asked %s', async (when) => {
    const { iterator, closings, watch } = open();
    const early = when === 'before' ? iterator.next() : undefined;
    vi.advanceTimersByTime(599_999);
    expect(closings()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(reasonOf(await (early ?? iterator.next()))).toEqual(['TOKEN_EXPIRED']);
    expect(await iterator.next()).toEqual(DONE);
    expect([closings(), watch.stopped]).toEqual([1, 1]);
  });

  it.each(['TOKEN_REVOKED', 'TOKEN_EXPIRED'] as const)(
    'ends when the token is not accepted any more, once, and says %s as it is told',
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

  it('tells the end to one of those who wait, and done to the others', async () => {
    const { iterator, watch } = open();
    const [first, second] = [iterator.next(), iterator.next()];
    watch.end('TOKEN_REVOKED');
    expect(reasonOf(await first)).toEqual(['TOKEN_REVOKED']);
    expect(await second).toEqual(DONE);
  });

  it('ends at once with a token that has expired already', async () => {
    const { iterator } = open(caller(inSeconds(-1)));
    const next = iterator.next();
    vi.advanceTimersByTime(0);
    expect(reasonOf(await next)).toEqual(['TOKEN_EXPIRED']);
  });

  it('ends with a session that has ended already, and stops watching it', async () => {
    const source = createSource<ExecutionResult>();
    let stopped = 0;
    const iterator = endOnTokenExpiry(source.source, caller(inSeconds(600)), {
      now,
      watchSession: (_, ended) => {
        ended('TOKEN_REVOKED');
        return () => {
          stopped += 1;
        };
      },
    });
    expect(reasonOf(await iterator.next())).toEqual(['TOKEN_REVOKED']);
    expect([source.closings(), stopped]).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lasts as long as a token that is good for longer than a timer can wait', async () => {
    const { iterator, closings } = open(caller(inSeconds((60 * DAY_MS) / 1000)));
    const next = iterator.next();
    vi.advanceTimersByTime(59 * DAY_MS);
    expect(closings()).toBe(0);
    vi.advanceTimersByTime(DAY_MS);
    expect(reasonOf(await next)).toEqual(['TOKEN_EXPIRED']);
  });

  it('lasts without end with a token that has none', async () => {
    const { closings } = open(caller());
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(closings()).toBe(0);
  });

  it.each(['return', 'throw'] as const)('closes the source when the client leaves by %s', async (way) => {
    const { iterator, closings, watch } = open();
    const waiting = iterator.next();
    const left = iterator[way]?.(new Error('gone'));
    if (way === 'throw') await expect(left).rejects.toThrow('gone');
    else expect(await left).toEqual(DONE);
    expect(await waiting).toEqual(DONE);
    expect(await iterator.next()).toEqual(DONE);
    expect([closings(), watch.stopped, vi.getTimerCount()]).toEqual([1, 1, 0]);
  });

  it('stops watching when the source ends', async () => {
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
  ])('ends even where closing the source %s', async (_, close) => {
    const source = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: close }),
    };
    let end = () => {};
    const watchSession: WatchSession = (_, ended) => {
      end = () => ended('TOKEN_REVOKED');
      return () => {};
    };
    const iterator = endOnTokenExpiry(source, caller(), { now, watchSession });
    const next = iterator.next();
    expect(end).not.toThrow();
    expect(reasonOf(await next)).toEqual(['TOKEN_REVOKED']);
  });

  it('passes a failure of the source on, and closes', async () => {
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
    'that is denied never starts its source, onDenied %s',
    async (onDenied) => {
      const { ticks, subscribe } = createApp(null, { onDenied });
      const text = await (await subscribe('subscription { ticks { at } }')).text();
      expect(text).toContain('"reason":"MISSING_TOKEN"');
      expect(ticks.started()).toBe(0);
    },
  );

  it('that is permitted resolves its events, with what is denied in them null', async () => {
    const { ticks, subscribe, secrets } = createApp(caller(), { onDenied: 'null' });
    ticks.emit({ ticks: { at: 1, secret: 2 } });
    const { body } = await subscribe('subscription { ticks { at secret } }');
    const text = await readUntil(body, '"reason":"MISSING_ROLE"');
    expect(text).toContain('"ticks":{"at":1,"secret":null}');
    await ticks.closed;
    expect(secrets()).toBe(0);
  });

  it('ends with the token', async () => {
    // The clock stands a moment before the end, so the real timer waits no longer than that.
    const { ticks, subscribe } = createApp(caller(inSeconds(0.02)));
    const text = await (await subscribe('subscription { ticks { at } }')).text();
    expect(text).toContain('"reason":"TOKEN_EXPIRED"');
    expect(ticks.closings()).toBe(1);
  });

  it.each(['TOKEN_REVOKED', 'TOKEN_EXPIRED'] as const)(
    'ends with %s when the watch says so, as its last event',
    async (problem) => {
      const watched = Promise.withResolvers<(problem: TokenProblem) => void>();
      const { ticks, subscribe } = createApp(caller(), {
        watchSession: (_, ended) => {
          watched.resolve(ended);
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

  it('closes its source when the client leaves', async () => {
    const { ticks, subscribe } = createApp(caller());
    ticks.emit({ ticks: { at: 1, secret: 2 } });
    const { body } = await subscribe('subscription { ticks { at } }');
    await readUntil(body, '"at":1');
    await ticks.closed;
    expect(ticks.closings()).toBe(1);
  });
});

/** Reads up to `end`, then leaves. */
async function readUntil(body: ReadableStream<Uint8Array> | null, end: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(end)) break;
  }
  return text;
}
