// What the client uses of the place that it runs in.
import type { AuthStorage } from './types.ts';

/** What is needed of a `BroadcastChannel`. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>;
/** What is needed of `navigator.locks`. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

export interface Platform {
  /** Milliseconds by a clock that nobody sets. */
  now: () => number;
  /** What a relative URL is relative to. */
  baseUrl: string | undefined;
  /** Local storage; undefined if the browser forbids it. Read at each use, as `locks` is: a page may replace them. */
  readonly storage: AuthStorage | undefined;
  readonly locks: Locks | undefined;
  /** Undefined if the browser forbids it. */
  openChannel: ((name: string) => Channel | undefined) | undefined;
}

/**
 * A page has other tabs to share its session with. A process on a server has none: there, two clients of the same URL are
 * two callers, so nothing is shared even where locks and channels exist.
 */
export function detectPlatform(): Platform {
  const isPage = typeof document === 'object';
  return {
    now: () => performance.now(),
    baseUrl: globalThis.location?.href,
    get storage() {
      return isPage ? findLocalStorage() : undefined;
    },
    get locks() {
      return isPage ? navigator.locks : undefined;
    },
    openChannel: isPage ? openChannel : undefined,
  };
}

function openChannel(name: string): Channel | undefined {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined; // forbidden, or not known to this browser
  }
}

function findLocalStorage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // forbidden
  }
}
