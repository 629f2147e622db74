// What may be there at once or only later: whoever waits for what is there pays for a promise.

export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value, at once where it is there. */
export function handleMaybePromise<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
