// Timeouts without `AbortSignal.timeout`, which Safari 14 does not support.

/** Runs `work` with a signal that aborts after `ms` milliseconds. */
export async function abortAfter<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles with `done`, or resolves after `ms` milliseconds. */
export async function waitUpTo(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, limit]).finally(() => clearTimeout(timer));
}
