// Features of the browser or runtime that the client uses.
import type { AuthStorage } from './types.ts';

/** The part of `BroadcastChannel` that the client uses. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>;
/** The part of `navigator.locks` that the client uses. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

export interface Platform {
  /** Milliseconds of a monotonic clock. */
  now: () => number;
  /** Base of a relative URL; undefined outside a page. */
  baseUrl: string | undefined;
  /** Local storage, read at each use because a page may replace it; undefined if the browser blocks it. */
  readonly storage: AuthStorage | undefined;
  /** Web Locks, read at each use; undefined on a page without HTTPS. */
  readonly locks: Locks | undefined;
  /** Opens a channel to other tabs; undefined if there are none. */
  openChannel: ((name: string) => Channel | undefined) | undefined;
}

/**
 * Detects the platform. Only a page shares its session with other tabs: in a server process, two clients of the same URL act for
 * different callers, so nothing is shared although Node has locks and channels too.
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
    return undefined; // blocked, or not supported by this browser
  }
}

function findLocalStorage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // blocked by the browser
  }
}
