// Requests to move the focus to an element that may not be rendered yet.
import { useEffect } from 'react';
import { createValue, useValue, type Value } from './value.ts';

export interface FocusRequest {
  /** Number of requests so far. */
  requested: Value<number>;
  request(): void;
  /** Whether there is a pending request; marks it as handled. */
  consume(): boolean;
}

export function createFocusRequest(): FocusRequest {
  const requested = createValue(0);
  let handled = 0;
  return {
    requested,
    request: () => requested.set(requested.get() + 1),
    consume() {
      const isPending = requested.get() > handled;
      handled = requested.get();
      return isPending;
    },
  };
}

/** Calls `focus` once for each request, after rendering. */
export function useFocusRequest({ requested, consume }: FocusRequest, focus: () => void): void {
  const count = useValue(requested);
  useEffect(() => {
    if (consume()) focus();
  }, [count]);
}
