// Keeps the session over a reload, if the app asks for that.

import { isNewer, type Session, shiftClock } from './session.ts';
import { waitUpTo } from './time-limit.ts';
import type { AuthStorage } from './types.ts';

/** Two clocks that count in different fractions. */
const ROUNDING_MS = 1;
/** A storage that takes longer counts as one that failed: signing in must not wait for it. */
const STORAGE_TIMEOUT_MS = 2_000;

type MaybePromise<T> = T | Promise<T>;

export interface SessionStorage {
  /** The stored session, by the monotonic clock; undefined if there is none, or none that can be read. */
  load(): MaybePromise<Session | undefined>;
  /** Stores the session, or removes it after sign-out, unless a newer one is stored already. Never fails. */
  save(session: Session): MaybePromise<void>;
}

/**
 * Synchronous if the storage is, so that the user of a page with `localStorage` is known at once.
 * @param storage read at each use; undefined: nothing is kept
 * @param now the monotonic clock; stored is the expiry by the wall clock, as the monotonic one begins anew with each page
 */
export function createSessionStorage(
  storage: () => AuthStorage | undefined,
  key: string,
  now: () => number,
): SessionStorage {
  const aheadMs = () => Date.now() - now();
  /** The write before, if the storage is asynchronous: two writes must not overtake each other. */
  let pending: Promise<void> | undefined;

  function parse(text: string | null | undefined): Session | undefined {
    try {
      const stored: Session = JSON.parse(text ?? 'null');
      if (!stored?.tokens?.refreshToken) return undefined;
      const session = shiftClock(stored, -aheadMs());
      // One that would live longer than it ever was to: the wall clock has been set back, so refresh first.
      const { tokens } = session;
      if (tokens && tokens.expiresAtMs - now() > tokens.lifetimeMs + ROUNDING_MS) tokens.expiresAtMs = now();
      return session;
    } catch {
      return undefined; // another program wrote it
    }
  }

  function load(): MaybePromise<Session | undefined> {
    try {
      const text = storage()?.getItem(key);
      return isPromise(text) ? text.then(parse, () => undefined) : parse(text);
    } catch {
      return undefined; // storage is forbidden here
    }
  }

  function write(session: Session, stored: Session | undefined): unknown {
    if (stored && isNewer(stored, session)) return undefined;
    try {
      return session.tokens
        ? storage()?.setItem(key, JSON.stringify(shiftClock(session, aheadMs())))
        : storage()?.removeItem(key);
    } catch {
      return undefined; // forbidden, or full: the session lives as long as the page
    }
  }

  function save(session: Session): MaybePromise<void> {
    const stored = pending ? pending.then(load) : load();
    const done = isPromise(stored) ? stored.then((found) => write(session, found)) : write(session, stored);
    if (!isPromise(done)) return;
    pending = waitUpTo(STORAGE_TIMEOUT_MS, done).catch(() => {});
    return pending;
  }

  return { load, save };
}

/** A storage of another realm, or of a library, may have promises of its own. */
export function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}
