// Limits open subscriptions, because each holds a connection, a timer and the resources of its resolver.
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { AuthError, toGraphQLError } from '../../errors.ts';
import { readContextPrincipal } from '../../tokens/context-principal.ts';
import type { Principal } from '../../tokens/principal.ts';

export interface SubscriptionLimits {
  /** Maximum number of open subscriptions in the process. Anonymous callers get half of them at most. */
  maxSubscriptions: number;
  /** Maximum number of open subscriptions per session, or per user if the tokens contain no session. */
  maxSubscriptionsPerSession: number;
}

const RETRY_AFTER_SECONDS = 5;

type SubscribeResult = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Rejects subscriptions beyond a limit with `RATE_LIMITED`. Subscriptions that are open continue. */
export function useSubscriptionLimits(limits: SubscriptionLimits): Plugin {
  const open = createOpenSubscriptions(limits);
  return {
    onSubscribe({ subscribeFn, setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs): Promise<SubscribeResult> => {
        const slot = open.acquire(readContextPrincipal(args.contextValue));
        if ('issue' in slot) return { errors: [toGraphQLError(rateLimited(slot.issue), {}, true)] };
        try {
          const result: SubscribeResult = await subscribeFn(args);
          if (isAsyncIterable<ExecutionResult>(result)) return releaseAtEnd(result, slot.release);
          slot.release();
          return result;
        } catch (error) {
          slot.release();
          throw error;
        }
      });
    },
  };
}

/** Counts open subscriptions. */
export function createOpenSubscriptions({
  maxSubscriptions,
  maxSubscriptionsPerSession,
}: SubscriptionLimits) {
  const bySession = new Map<string, number>();
  let all = 0;
  let anonymous = 0;

  function findLimitIssue(key: string | undefined): string | undefined {
    if (key !== undefined && (bySession.get(key) ?? 0) >= maxSubscriptionsPerSession) {
      return 'This session has too many open subscriptions';
    }
    const isFull = all >= maxSubscriptions || (key === undefined && anonymous >= maxSubscriptions / 2);
    return isFull ? 'Too many subscriptions are open' : undefined;
  }

  function count(key: string | undefined, change: 1 | -1): void {
    all += change;
    if (key === undefined) {
      anonymous += change;
      return;
    }
    const left = (bySession.get(key) ?? 0) + change;
    if (left > 0) bySession.set(key, left);
    else bySession.delete(key);
  }

  return {
    /** @returns the reason for a rejection, or a function that frees the slot and may be called more than once */
    acquire(principal: Principal | null): { issue: string } | { release(): void } {
      const key = principal === null ? undefined : keyOf(principal);
      const issue = findLimitIssue(key);
      if (issue !== undefined) return { issue };
      count(key, 1);
      let isOpen = true;
      return {
        release() {
          if (isOpen) count(key, -1);
          isOpen = false;
        },
      };
    },
    /** Number of open subscriptions. */
    get size() {
      return all;
    },
    /** Number of sessions with open subscriptions. */
    get sessions() {
      return bySession.size;
    },
  };
}

function keyOf({ sessionId, userId }: Principal): string {
  return sessionId === '' ? `user ${userId}` : `session ${sessionId}`;
}

function rateLimited(message: string): AuthError {
  return new AuthError('RATE_LIMITED', { retryAfterSeconds: RETRY_AFTER_SECONDS }, message);
}

/** Relays the events of a source, and releases the slot when the source ends, fails or is closed by its reader. */
function releaseAtEnd(
  source: AsyncIterable<ExecutionResult>,
  release: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  const relay = async (result: Promise<IteratorResult<ExecutionResult>>) => {
    try {
      const relayed = await result;
      if (relayed.done) release();
      return relayed;
    } catch (error) {
      release();
      throw error;
    }
  };
  return {
    next: () => relay(iterator.next()),
    return(value?: ExecutionResult) {
      release(); // now, because a source that awaits an event may end much later
      return iterator.return?.(value) ?? Promise.resolve({ done: true, value: undefined });
    },
    throw(error) {
      release();
      return iterator.throw?.(error) ?? Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
