// What the client makes use of where it runs.

/** What is needed of a `BroadcastChannel`. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>;
/** What is needed of `navigator.locks`. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

export interface Platform {
  /** Milliseconds by a clock that nobody sets. */
  now: () => number;
  /** What a relative URL is relative to. */
  baseUrl: string | undefined;
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined;
  locks: Locks | undefined;
  /** Undefined where the browser forbids it. */
  openChannel: ((name: string) => Channel | undefined) | undefined;
}

/**
 * A page has other tabs to share its session with. A process on a server has none: there, two clients of the same URL are
 * two callers, so nothing is shared even where locks and channels exist.
 */
export function detectPlatform(): Platform {
  const isPage = typeof document === 'object';
  const hasChannels = typeof BroadcastChannel === 'function';
  return {
    now: () => performance.now(),
    baseUrl: globalThis.location?.href,
    storage: isPage ? storageOf(globalThis) : undefined,
    locks: isPage ? navigator.locks : undefined,
    openChannel: isPage && hasChannels ? openChannel : undefined,
  };
}

function openChannel(name: string): Channel | undefined {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined;
  }
}

/** Undefined where the browser forbids it. */
function storageOf(page: { localStorage: Storage }): Storage | undefined {
  try {
    return page.localStorage;
  } catch {
    return undefined;
  }
}
