// Stores the session across reloads, if the app has chosen a storage.
import { isNewer, type Session, shiftClock } from './session.ts';
import { waitUpTo } from './time-limit.ts';
import type { AuthStorage } from './types.ts';

/** Tolerance for the different resolutions of the two clocks. */
const ROUNDING_MS = 1;
/** A write that takes longer counts as failed, so that signing in does not wait for it. */
const STORAGE_TIMEOUT_MS = 2_000;

type MaybePromise<T> = T | Promise<T>;

export interface SessionStorage {
  /** Reads the stored session, with its expiry by the monotonic clock; undefined if there is none or it is unreadable. */
  load(): MaybePromise<Session | undefined>;
  /** Stores the session, or removes it after sign-out, unless a newer one is stored. Never throws or rejects. */
  save(session: Session): MaybePromise<void>;
}

/**
 * Creates the storage of one client. It is synchronous if `findStorage` returns a synchronous storage, so that with
 * `localStorage` the user is known at once.
 * @param findStorage called at each use; undefined: nothing is stored
 * @param now the monotonic clock; the stored expiry uses the wall clock, because the monotonic one restarts with each page
 */
export function createSessionStorage(
  findStorage: () => AuthStorage | undefined,
  key: string,
  now: () => number,
): SessionStorage {
  const clockOffsetMs = () => Date.now() - now();
  /** The latest write to an asynchronous storage; the next one waits for it, so that writes stay in order. */
  let pending: Promise<void> | undefined;

  function parse(text: string | null | undefined): Session | undefined {
    try {
      const stored: Session = JSON.parse(text ?? 'null');
      if (!stored?.tokens?.refreshToken) return undefined;
      const session = shiftClock(stored, -clockOffsetMs());
      // If more than the full lifetime is left, the wall clock was set back: treat the token as expired and refresh.
      const { tokens } = session;
      if (tokens && tokens.expiresAtMs - now() > tokens.lifetimeMs + ROUNDING_MS) tokens.expiresAtMs = now();
      return session;
    } catch {
      return undefined; // not written by this client
    }
  }

  function load(): MaybePromise<Session | undefined> {
    try {
      const text = findStorage()?.getItem(key);
      return isPromise(text) ? text.then(parse, () => undefined) : parse(text);
    } catch {
      return undefined; // storage is blocked by the browser
    }
  }

  function write(session: Session, stored: Session | undefined): unknown {
    if (stored && isNewer(stored, session)) return undefined;
    try {
      return session.tokens
        ? findStorage()?.setItem(key, JSON.stringify(shiftClock(session, clockOffsetMs())))
        : findStorage()?.removeItem(key);
    } catch {
      return undefined; // blocked or full: the session lasts as long as the page
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

/** Accepts any thenable: a storage of another realm or library may use another promise class. */
export function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}
