// Ends a subscription with the token that opened it: when the token expires, or when its session is revoked.
import type { ExecutionResult } from 'graphql';
import { AuthError, type TokenProblem, toGraphQLError } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';

/**
 * Watches the session of a subscription's caller.
 *
 * @param principal the caller that opened the subscription
 * @param onEnd to be called once the token is no longer accepted, with the reason that the last event of the subscription has
 * @returns a function that stops watching; called when the subscription ends
 * @example
 * const watchSession: WatchSession = ({ sessionId }, onEnd) => {
 *   const listener = () => onEnd('TOKEN_REVOKED');
 *   revocations.on(sessionId, listener);
 *   return () => revocations.off(sessionId, listener);
 * };
 */
export type WatchSession = (principal: Principal, onEnd: (problem: TokenProblem) => void) => () => void;

/** Longest delay of a timer in Node, about 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Passes events on until the token ends. Then one last event has the error, and the source is closed. */
export function endOnTokenExpiry(
  source: AsyncIterable<ExecutionResult>,
  principal: Principal,
  { now, watchSession }: { now: () => Date; watchSession: WatchSession | undefined },
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  const pendingReads: ((result: IteratorResult<ExecutionResult>) => void)[] = [];
  let isOpen = true;
  let lastEvent: ExecutionResult | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopWatching: (() => void) | undefined;
  waitForExpiry();
  stopWatching = watchSession?.(principal, end);
  // `watchSession` may have called `end` before it returned, when `close` could not stop watching yet.
  if (!isOpen) stopWatching?.();

  function waitForExpiry(): void {
    const { exp } = principal.claims;
    if (exp === undefined) return;
    const ms = exp * 1000 - now().getTime();
    const onTimeout = ms > MAX_TIMER_MS ? waitForExpiry : () => end('TOKEN_EXPIRED');
    timer = setTimeout(onTimeout, Math.min(Math.max(ms, 0), MAX_TIMER_MS)).unref();
  }

  function end(problem: TokenProblem): void {
    if (!isOpen) return;
    lastEvent = { errors: [toGraphQLError(new AuthError(problem), {}, false)] };
    close();
  }

  function close(): void {
    isOpen = false;
    clearTimeout(timer);
    stopWatching?.();
    // Not awaited: a generator that is waiting for its next value does not return before that.
    void Promise.try(() => iterator.return?.()).catch(() => {});
    for (const settle of pendingReads.splice(0)) settle(takeLastEvent());
  }

  function takeLastEvent(): IteratorResult<ExecutionResult> {
    if (lastEvent === undefined) return { done: true, value: undefined };
    const value = lastEvent;
    lastEvent = undefined;
    return { done: false, value };
  }

  return {
    next() {
      if (!isOpen) return Promise.resolve(takeLastEvent());
      return new Promise((resolve, reject) => {
        pendingReads.push(resolve);
        const removeRead = () => {
          const index = pendingReads.indexOf(resolve);
          if (index >= 0) pendingReads.splice(index, 1);
        };
        iterator.next().then(
          (result) => {
            removeRead();
            if (result.done && isOpen) close();
            resolve(result); // has no effect if `close` has settled the read
          },
          (error) => {
            removeRead();
            if (isOpen) close();
            reject(error);
          },
        );
      });
    },
    return() {
      if (isOpen) close();
      lastEvent = undefined;
      return Promise.resolve({ done: true, value: undefined });
    },
    throw(error) {
      if (isOpen) close();
      lastEvent = undefined;
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
