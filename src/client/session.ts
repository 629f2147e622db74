// What tabs tell each other about who is signed in, and which of two such accounts is the newer one.
import type { SignedOutReason, User } from './types.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  user: User;
  /** How long the access token was to live when it was issued. */
  lifetimeMs: number;
  /** When it expires, by the monotonic clock of whoever has it. */
  expiresAtMs: number;
  /** The access token before this one. */
  previous?: string | undefined;
}

/** The place of a session's state among all there have been; compared from the first member to the last. */
export interface Version {
  /** Higher for each sign-in. */
  epoch: number;
  /** Tells sign-ins apart that came at the same moment. */
  id: string;
  /** Counts refreshes. `Infinity` once the session has ended, so that no late refresh brings it back. */
  step: number;
}

export interface Session extends Version {
  /** Null where nobody is signed in. */
  tokens: Tokens | null;
  /** Why nobody is. */
  reason?: SignedOutReason;
}

/** Before anybody has signed in. */
export const SIGNED_OUT: Session = { epoch: 0, id: '', step: 0, tokens: null };

export function isNewer(one: Version, other: Version): boolean {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch;
  if (one.id !== other.id) return one.id > other.id;
  return one.step > other.step;
}

/** Refresh early by a third of the lifetime, as that may be seconds; by half a minute at most. */
const MARGIN_SHARE = 1 / 3;
const MAX_MARGIN_MS = 30_000;

/** Whether it is time to refresh. */
export function needsRefresh({ expiresAtMs, lifetimeMs }: Tokens, nowMs: number): boolean {
  return nowMs >= expiresAtMs - Math.min(MAX_MARGIN_MS, lifetimeMs * MARGIN_SHARE);
}

/** The same session by a clock that is `byMs` ahead of the one it is given by. */
export function shiftClock(session: Session, byMs: number): Session {
  const { tokens } = session;
  return { ...session, tokens: tokens && { ...tokens, expiresAtMs: tokens.expiresAtMs + byMs } };
}
