// The session that tabs exchange, its version, and the time at which it needs a refresh.
import type { SignedOutReason, User } from './types.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  user: User;
  /** Lifetime of the access token when it was issued. */
  lifetimeMs: number;
  /** Time of expiry by the monotonic clock of this tab. */
  expiresAtMs: number;
  /** The previous access token of this session. */
  previous?: string | undefined;
}

/** Orders all states of all sessions; compared member by member, first to last. */
export interface Version {
  /** Higher for each sign-in. */
  epoch: number;
  /** Distinguishes sign-ins at the same moment. */
  id: string;
  /** Number of refreshes; `Infinity` once the session has ended, so that a late refresh cannot restore it. */
  step: number;
}

export interface Session extends Version {
  /** Null if no user is signed in. */
  tokens: Tokens | null;
  /** Why the session ended; undefined while it is live and before the first sign-in. */
  reason?: SignedOutReason;
}

/** State before the first sign-in; older than any session. */
export const SIGNED_OUT: Session = { epoch: 0, id: '', step: 0, tokens: null };

export function isNewer(one: Version, other: Version): boolean {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch;
  if (one.id !== other.id) return one.id > other.id;
  return one.step > other.step;
}

/** Share of the lifetime before expiry at which to refresh; a share, because a token may live only seconds. */
const MARGIN_SHARE = 1 / 3;
const MAX_MARGIN_MS = 30_000;

/** Whether the access token has expired or is about to. */
export function needsRefresh({ expiresAtMs, lifetimeMs }: Tokens, nowMs: number): boolean {
  return nowMs >= expiresAtMs - Math.min(MAX_MARGIN_MS, lifetimeMs * MARGIN_SHARE);
}

/** Converts the expiry to a clock that is `byMs` ahead. */
export function shiftClock(session: Session, byMs: number): Session {
  const { tokens } = session;
  return { ...session, tokens: tokens && { ...tokens, expiresAtMs: tokens.expiresAtMs + byMs } };
}
