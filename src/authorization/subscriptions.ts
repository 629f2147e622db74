// A subscription ends with the token it was opened with: at its expiry, or when it is not accepted any more.
import type { ExecutionResult } from 'graphql';
import { AuthError, type TokenProblem, toGraphQLError } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';

/** Calls `ended` when the principal's token becomes worthless before its time; returns what stops the watch. */
export type WatchSession = (principal: Principal, onEnd: (problem: TokenProblem) => void) => () => void;

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Passes results on until the token is worth nothing; then one with the error as the last, and the source is closed. */
export function endOnTokenExpiry(
  source: AsyncIterable<ExecutionResult>,
  principal: Principal,
  { now, watchSession }: { now: () => Date; watchSession: WatchSession | undefined },
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  const pendingReads: ((result: IteratorResult<ExecutionResult>) => void)[] = [];
  let isOpen = true;
  let last: ExecutionResult | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopWatching: (() => void) | undefined;
  waitForExpiry();
  stopWatching = watchSession?.(principal, end);
  // The watch may have ended it before there was anything to unwatch.
  if (!isOpen) stopWatching?.();

  function waitForExpiry(): void {
    const { exp } = principal.claims;
    if (exp === undefined) return;
    const ms = exp * 1000 - now().getTime();
    // No timer runs longer than a month, so a later expiry takes several.
    const atEnd = ms > MAX_TIMER_MS ? waitForExpiry : () => end('TOKEN_EXPIRED');
    timer = setTimeout(atEnd, Math.min(Math.max(ms, 0), MAX_TIMER_MS)).unref();
  }

  function end(problem: TokenProblem): void {
    if (!isOpen) return;
    last = { errors: [toGraphQLError(new AuthError(problem), {}, false)] };
    close();
  }

  function close(): void {
    isOpen = false;
    clearTimeout(timer);
    stopWatching?.();
    // The source may be in the middle of waiting; it is told, and nobody waits for it.
    void Promise.try(() => iterator.return?.()).catch(() => {});
    for (const settle of pendingReads.splice(0)) settle(takeLast());
  }

  function takeLast(): IteratorResult<ExecutionResult> {
    if (last === undefined) return { done: true, value: undefined };
    const value = last;
    last = undefined;
    return { done: false, value };
  }

  return {
    next() {
      if (!isOpen) return Promise.resolve(takeLast());
      return new Promise((resolve, reject) => {
        pendingReads.push(resolve);
        const settled = () => {
          const index = pendingReads.indexOf(resolve);
          if (index >= 0) pendingReads.splice(index, 1);
        };
        iterator.next().then(
          (result) => {
            settled();
            if (result.done && isOpen) close();
            resolve(result); // without effect where the end came first
          },
          (error) => {
            settled();
            if (isOpen) close();
            reject(error);
          },
        );
      });
    },
    return() {
      if (isOpen) close();
      last = undefined;
      return Promise.resolve({ done: true, value: undefined });
    },
    throw(error) {
      if (isOpen) close();
      last = undefined;
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
