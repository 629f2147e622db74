// A wish that the focus be somewhere, kept until the component that can grant it is there.
import { useEffect } from 'react';
import { createValue, useValue, type Value } from './value.ts';

export interface FocusRequest {
  requested: Value<number>;
  request(): void;
  /** Whether there is a wish that nobody has granted; the caller grants it. */
  consume(): boolean;
}

export function createFocusRequest(): FocusRequest {
  const requested = createValue(0);
  let granted = 0;
  return {
    requested,
    request: () => requested.set(requested.get() + 1),
    consume() {
      const isNew = requested.get() > granted;
      granted = requested.get();
      return isNew;
    },
  };
}

/** Calls `grant` once for each wish, after what it may need has been rendered. */
export function useFocusRequest({ requested, consume }: FocusRequest, focus: () => void): void {
  const count = useValue(requested);
  useEffect(() => {
    if (consume()) focus();
  }, [count]);
}
