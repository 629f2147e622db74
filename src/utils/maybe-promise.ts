// What may be there at once or only later: whoever waits for what is there pays for a promise.

export type PromiseOrValue<T> = T | Promise<T>;

/** Goes on with a value, at once where it is there. */
export function andThen<T, R>(
  value: PromiseOrValue<T>,
  next: (value: T) => PromiseOrValue<R>,
): PromiseOrValue<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
