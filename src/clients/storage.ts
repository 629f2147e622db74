// Keeps the session over a reload, where the app asks for that.
import { isNewer, moveClock, type Session } from './session.ts';

/** Two clocks that count in different fractions. */
const ROUNDING_MS = 1;

export interface SessionStorage {
  /** What is stored, by the monotonic clock; undefined where nothing is, or nothing that can be used. */
  load(): Session | undefined;
  /** Stores who is signed in, or that nobody is, unless a newer session is stored already. */
  save(session: Session): void;
}

/**
 * @param storage undefined: nothing is kept
 * @param now the monotonic clock; stored is the expiry by the wall clock, as the monotonic one begins anew with each page
 */
export function openStorage(
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined,
  key: string,
  now: () => number,
): SessionStorage {
  const aheadMs = () => Date.now() - now();

  function load(): Session | undefined {
    try {
      const stored: Session = JSON.parse(storage?.getItem(key) ?? 'null');
      if (!stored?.tokens?.refreshToken) return undefined;
      const session = moveClock(stored, -aheadMs());
      // One that would live longer than it ever was to: the wall clock has been set back, so refresh first.
      const { tokens } = session;
      if (tokens && tokens.expiresAtMs - now() > tokens.lifetimeMs + ROUNDING_MS) tokens.expiresAtMs = now();
      return session;
    } catch {
      return undefined; // storage is forbidden here, or somebody else wrote into it
    }
  }

  return {
    load,
    save(session) {
      const stored = load();
      if (stored && isNewer(stored, session)) return;
      try {
        if (session.tokens) storage?.setItem(key, JSON.stringify(moveClock(session, aheadMs())));
        else storage?.removeItem(key);
      } catch {
        // Forbidden, or full: the session lives as long as the page.
      }
    },
  };
}
