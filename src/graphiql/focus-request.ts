// A wish that the focus be somewhere, kept until the component that can grant it is there.
import { useEffect } from 'react';
import { createValue, useValue, type Value } from './value.ts';

export interface FocusRequest {
  wished: Value<number>;
  request(): void;
  /** Whether there is a wish that nobody has granted; the caller grants it. */
  take(): boolean;
}

export function createFocusRequest(): FocusRequest {
  const wished = createValue(0);
  let granted = 0;
  return {
    wished,
    request: () => wished.set(wished.get() + 1),
    take() {
      const isNew = wished.get() > granted;
      granted = wished.get();
      return isNew;
    },
  };
}

/** Calls `grant` once for each wish, after what it may need has been rendered. */
export function useFocusRequest({ wished, take }: FocusRequest, grant: () => void): void {
  const count = useValue(wished);
  useEffect(() => {
    if (take()) grant();
  }, [count]);
}
