// Decisions on refresh tokens and the expiry of sessions, at every boundary.
import { describe, expect, it } from 'vitest';
import { decideRefresh, outageCompensationSeconds } from '../../../src/sessions/refresh-policy.ts';
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

const decide = (
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

describe('decideRefresh', () => {
  it.each([
    ['ROTATE', 'the current token, at once', FRESH, 5, 0],
    ['ROTATE', 'the current token, just before the idle expiry', FRESH, 5, 99_999],
    ['EXPIRED', 'the current token, exactly at the idle expiry', FRESH, 5, 100_000],
    ['ROTATE', 'the current token, just before the absolute expiry', USED_LATE, 5, 149_999],
    ['EXPIRED', 'the current token, exactly at the absolute expiry', USED_LATE, 5, 150_000],
    ['REPEAT', 'the previous token, at the time of the rotation', FRESH, 4, 0],
    ['REPEAT', 'the previous token, exactly at the end of the grace period', FRESH, 4, 10_000],
    ['REUSED', 'the previous token, just after the grace period', FRESH, 4, 10_001],
    ['EXPIRED', 'the previous token of an expired session', FRESH, 4, 100_000],
    ['REPEAT', 'the previous token, before the rotation by this clock', FRESH, 4, -1],
    ['REUSED', 'a token two generations old, within the grace period', FRESH, 3, 0],
    ['REUSED', 'the first token of many', FRESH, 1, 99_999],
    ['UNKNOWN', 'a token that was not issued yet', FRESH, 6, 0],
    ['EXPIRED', 'a token that was not issued yet, of an expired session', FRESH, 6, 100_000],
    ['REVOKED', 'the current token of a revoked session', REVOKED, 5, 0],
    ['REVOKED', 'an old token of a revoked session', REVOKED, 1, 0],
    ['REVOKED', 'the current token of a session revoked, then expired', REVOKED, 5, 200_000],
  ] as const)('decides %s for %s', (expected, _, session, generation, milliseconds) => {
    expect(decide(session, generation, milliseconds)).toBe(expected);
  });

  it.each([
    ['REPEAT', 'at the same time', 0],
    ['REPEAT', 'three seconds later, such as a request in flight', 3_000],
    ['REUSED', 'later', 3_001],
  ] as const)('decides %s for a token whose successor was used: %s', (expected, _, milliseconds) => {
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

  it('repeats a token only at the time of the rotation without a grace period', () => {
    expect(decide(FRESH, 4, 0, 0)).toBe('REPEAT');
    expect(decide(FRESH, 4, 1, 0)).toBe('REUSED');
  });
});

describe('outageCompensationSeconds', () => {
  const outage = { from: at(10_000), to: at(70_000) };

  it.each([
    ['the time until the end of the outage', 'a rotation 10 seconds before the outage', 0, 70],
    ['nothing', 'a rotation more than 10 seconds before the outage', -1, 0],
    ['the time until the end of the outage', 'a rotation at the end of the outage', 70_000, 0],
    ['nothing', 'a rotation after the outage', 70_001, 0],
  ])('adds %s for %s', (_, _rotation, rotatedAt, seconds) => {
    const session = { ...FRESH, lastUsedAt: at(rotatedAt) };
    expect(outageCompensationSeconds(session, outage)).toBe(seconds);
  });

  it('adds nothing without an outage, or for one longer than 15 minutes', () => {
    const quarterHour = { from: at(0), to: at(900_000) };
    expect(outageCompensationSeconds(FRESH, undefined)).toBe(0);
    expect(outageCompensationSeconds(FRESH, quarterHour)).toBe(900);
    expect(outageCompensationSeconds(FRESH, { ...quarterHour, to: at(900_001) })).toBe(0);
  });
});

describe('isLive', () => {
  it.each([
    ['the idle expiry', FRESH, at(100_000)],
    ['the absolute expiry', USED_LATE, at(150_000)],
  ])('returns false from %s on, whichever comes first', (_, session, end) => {
    expect(effectiveExpiry(session, IDLE_SECONDS)).toEqual(end);
    expect(isLive(session, new Date(end.getTime() - 1), IDLE_SECONDS)).toBe(true);
    expect(isLive(session, end, IDLE_SECONDS)).toBe(false);
  });

  it('returns false for a revoked session at any time', () => {
    expect(isLive(REVOKED, at(-1), IDLE_SECONDS)).toBe(false);
  });
});
