// What a presented refresh token is worth, at every boundary.
import { describe, expect, it } from 'vitest';
import { decideRefresh } from '../../../src/sessions/refresh-policy.ts';
import { effectiveExpiry, isLive } from '../../../src/sessions/session.ts';
import { newSession } from '../../integration/storage/store-contract.ts';

const START = new Date('2026-01-31T12:00:00Z');
const GRACE_SECONDS = 10;
const IDLE_SECONDS = 100;
const TTL_SECONDS = 150;

const at = (milliseconds: number) => new Date(START.getTime() + milliseconds);
const FRESH = newSession('user', { generation: 5, lastUsedAt: START, expiresAt: at(TTL_SECONDS * 1000) });
const USED_LATE = { ...FRESH, lastUsedAt: at(100_000) };
const REVOKED = { ...FRESH, revokedAt: START };

const judge = (
  session: typeof FRESH,
  generation: number,
  milliseconds: number,
  graceSeconds = GRACE_SECONDS,
) =>
  decideRefresh(session, {
    sessionId: session.id,
    generation,
    now: at(milliseconds),
    graceSeconds,
    idleSeconds: IDLE_SECONDS,
  });

describe('judging a refresh token', () => {
  it.each([
    ['the newest, at once', FRESH, 5, 0, 'ROTATE'],
    ['the newest, just before the session lies idle too long', FRESH, 5, 99_999, 'ROTATE'],
    ['the newest, exactly at the idle end', FRESH, 5, 100_000, 'EXPIRED'],
    ['the newest, just before the absolute end', USED_LATE, 5, 149_999, 'ROTATE'],
    ['the newest, exactly at the absolute end', USED_LATE, 5, 150_000, 'EXPIRED'],
    ['one generation old, in the same instant', FRESH, 4, 0, 'REPEAT'],
    ['one generation old, exactly at the end of the grace', FRESH, 4, 10_000, 'REPEAT'],
    ['one generation old, just after the grace', FRESH, 4, 10_001, 'REUSED'],
    ['one generation old, of an expired session', FRESH, 4, 100_000, 'EXPIRED'],
    ['one generation old, while the clock of the rotation was ahead', FRESH, 4, -1, 'REPEAT'],
    ['two generations old, inside the grace', FRESH, 3, 0, 'REUSED'],
    ['the first of many', FRESH, 1, 99_999, 'REUSED'],
    ['a generation not issued yet', FRESH, 6, 0, 'UNKNOWN'],
    ['a generation not issued yet, of an expired session', FRESH, 6, 100_000, 'EXPIRED'],
    ['the newest, of a revoked session', REVOKED, 5, 0, 'REVOKED'],
    ['an old one, of a revoked session', REVOKED, 1, 0, 'REVOKED'],
    ['the newest, of a session revoked and expired since', REVOKED, 5, 200_000, 'REVOKED'],
  ] as const)('%s', (_, session, generation, milliseconds, expected) => {
    expect(judge(session, generation, milliseconds)).toBe(expected);
  });

  it.each([
    ['in the same instant', 0, 'REPEAT'],
    ['three seconds later, as a request that was under way', 3_000, 'REPEAT'],
    ['later', 3_001, 'REUSED'],
  ] as const)('rejects a token whose successor has been used: %s', (_, milliseconds, expected) => {
    const request = {
      sessionId: FRESH.id,
      now: at(2_000 + milliseconds),
      graceSeconds: GRACE_SECONDS,
      idleSeconds: IDLE_SECONDS,
      successorUsedAt: at(2_000),
    };
    expect(decideRefresh(FRESH, { ...request, generation: 4 })).toBe(expected);
    expect(decideRefresh(FRESH, { ...request, generation: 5 })).toBe('ROTATE');
  });

  it('without a grace answers a lost answer in the same instant alone', () => {
    expect(judge(FRESH, 4, 0, 0)).toBe('REPEAT');
    expect(judge(FRESH, 4, 1, 0)).toBe('REUSED');
  });
});

describe('the end of a session', () => {
  it.each([
    ['by lying idle', FRESH, at(100_000)],
    ['absolutely', USED_LATE, at(150_000)],
  ])('comes %s, whichever is first, and the session is not live from then on', (_, session, end) => {
    expect(effectiveExpiry(session, IDLE_SECONDS)).toEqual(end);
    expect(isLive(session, new Date(end.getTime() - 1), IDLE_SECONDS)).toBe(true);
    expect(isLive(session, end, IDLE_SECONDS)).toBe(false);
  });

  it('has come for a revoked session whatever the clock says', () => {
    expect(isLive(REVOKED, at(-1), IDLE_SECONDS)).toBe(false);
  });
});
