// The session check: in memory, in the store while the feed is down, and for a limited time without either.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenProblem } from '../../../src/errors.ts';
import type { SessionStatus } from '../../../src/storage/store.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createRevocationCache } from '../../../src/tokens/revocation/revocation-cache.ts';
import { createSessionCheck } from '../../../src/tokens/revocation/session-check.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const STALE_AFTER_MS = 5_000;
const STORE_TIMEOUT_MS = 250;
const STORE_RETRY_DELAY_MS = 1_000;
const LIVE: SessionStatus = { revokedAt: undefined, roles: ['editor'] };
const NOW = new Date('2026-01-31T12:00:00Z');

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

const ada = createPrincipal({ sessionId: 'here', roles: new Set(['editor']) });
const inSession = (sessionId: string): Principal => ({ ...ada, sessionId });

type FindStatus = (sessionId: string) => Promise<SessionStatus | undefined>;

/** @param syncedAgoMs time since the last sync of the feed; all times are of the fake timers */
function setUp({
  syncedAgoMs = STALE_AFTER_MS + 1,
  maxStaleSeconds = 60,
  find = async () => LIVE,
}: {
  syncedAgoMs?: number;
  maxStaleSeconds?: number;
  find?: FindStatus;
} = {}) {
  const changes = createRevocationCache(600, () => new Date());
  const findStatus = vi.fn(find);
  let syncedAt = performance.now() - syncedAgoMs;
  const check = createSessionCheck({
    revocations: changes,
    feedSyncedAt: () => syncedAt,
    findStatus: findStatus,
    maxStaleSeconds,
  });
  return {
    changes,
    check,
    findStatus,
    sync() {
      syncedAt = performance.now();
    },
  };
}

const hangs = () => new Promise<never>(() => {});
const fails = () => Promise.reject(new Error('The database is away'));
/** Answers after the timeout of the check. */
const answersLate = () => answersIn(STORE_TIMEOUT_MS + 1);
async function answersIn(milliseconds: number): Promise<SessionStatus> {
  const { promise, resolve } = Promise.withResolvers<SessionStatus>();
  setTimeout(() => resolve({ ...LIVE, revokedAt: NOW }), milliseconds);
  return promise;
}
async function failsLate(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('The database is away')), STORE_TIMEOUT_MS + 1);
  return promise;
}

describe('with a synced feed, the check', () => {
  it.each([0, 1, STALE_AFTER_MS])('accepts without a query %i ms after the last sync', (syncedAgoMs) => {
    const { check, findStatus } = setUp({ syncedAgoMs, find: fails });
    expect(check(ada)).toBeUndefined(); // not a promise
    expect(findStatus).not.toHaveBeenCalled();
  });

  it.each<[TokenProblem, Principal]>([
    ['TOKEN_REVOKED', inSession('ended')],
    ['TOKEN_EXPIRED', { ...ada, roles: new Set(['editor', 'admin']) }],
  ])('returns %s synchronously from memory', (problem, principal) => {
    const { changes, check, findStatus } = setUp({ syncedAgoMs: 0 });
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'ended', revokedAt: NOW });
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['editor'], changedAt: NOW });
    expect(check(principal)).toBe(problem);
    expect(check(ada)).toBeUndefined();
    expect(findStatus).not.toHaveBeenCalled();
  });

  it('queries the store no more once the feed is synced again', async () => {
    const { check, findStatus, sync } = setUp();
    await check(ada);
    expect(findStatus).toHaveBeenCalledTimes(1);
    sync();
    expect(check(ada)).toBeUndefined();
    expect(findStatus).toHaveBeenCalledTimes(1);
  });
});

describe('with a stale feed, the check', () => {
  it.each<[string, SessionStatus | undefined, TokenProblem | undefined]>([
    ['is live', LIVE, undefined],
    ['was revoked', { ...LIVE, revokedAt: NOW }, 'TOKEN_REVOKED'],
    ['is gone', undefined, 'TOKEN_REVOKED'],
    ['has a user with one role more', { ...LIVE, roles: ['editor', 'admin'] }, 'TOKEN_EXPIRED'],
    ['has a user with one role less', { ...LIVE, roles: [] }, 'TOKEN_EXPIRED'],
    ['has a user with another role', { ...LIVE, roles: ['admin'] }, 'TOKEN_EXPIRED'],
    ['has a user with a role that is listed twice', { ...LIVE, roles: ['editor', 'editor'] }, undefined],
  ])('takes the status from the store for a session that %s', async (_, status, problem) => {
    const { check, findStatus } = setUp({ find: async () => status });
    expect(await check(ada)).toBe(problem);
    expect(findStatus.mock.calls).toEqual([['here']]);
  });

  it('rejects synchronously if memory has the revocation', () => {
    const { changes, check, findStatus } = setUp();
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    expect(check(ada)).toBe('TOKEN_REVOKED');
    expect(findStatus).not.toHaveBeenCalled();
  });

  it('trusts the roles of the store over those in memory', async () => {
    const { changes, check } = setUp();
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['author'], changedAt: NOW });
    expect(await check(ada)).toBeUndefined();
    expect(await check({ ...ada, roles: new Set(['author']) })).toBe('TOKEN_EXPIRED');
  });

  it('shares one query among concurrent checks of a session', async () => {
    const { check, findStatus } = setUp({ find: () => answersIn(100) });
    const sessions = Array.from({ length: 60 }, (_, index) => `session ${index % 3}`);
    const results = Promise.all(sessions.map((id) => check(inSession(id))));
    await vi.advanceTimersByTimeAsync(100);
    expect(new Set(await results)).toEqual(new Set(['TOKEN_REVOKED']));
    expect(findStatus.mock.calls).toEqual([['session 0'], ['session 1'], ['session 2']]);
  });

  it('queries again after the previous query has finished', async () => {
    const statuses = [LIVE, { ...LIVE, revokedAt: NOW }];
    const { check, findStatus } = setUp({ find: async () => statuses.shift() });
    expect(await check(ada)).toBeUndefined();
    expect(await check(ada)).toBe('TOKEN_REVOKED');
    expect(findStatus).toHaveBeenCalledTimes(2);
  });
});

describe.each<[string, FindStatus, number]>([
  ['rejects', fails, 0],
  [
    'throws',
    () => {
      throw new Error('The database is away');
    },
    0,
  ],
  ['hangs', hangs, STORE_TIMEOUT_MS],
  ['results late', answersLate, STORE_TIMEOUT_MS],
  ['rejects late', failsLate, STORE_TIMEOUT_MS],
])('with a stale feed, if the store %s, the check', (_, find, waitedMs) => {
  /** Advances the time. @returns whether the check is settled then */
  async function isSettledAfter(result: unknown, milliseconds: number): Promise<boolean> {
    let isSettled = false;
    void Promise.resolve(result).then(() => {
      isSettled = true;
    });
    await vi.advanceTimersByTimeAsync(milliseconds);
    return isSettled;
  }

  it('decides from memory after at most 250 ms', async () => {
    const { check } = setUp({ find });
    const result = check(ada);
    if (waitedMs > 0) expect(await isSettledAfter(result, waitedMs - 1)).toBe(false);
    expect(await isSettledAfter(result, 1)).toBe(true);
    expect(await result).toBeUndefined();
    await vi.advanceTimersByTimeAsync(STORE_TIMEOUT_MS); // a late response has no effect
    expect(vi.getTimerCount()).toBe(0);
  });

  it('skips the store for a second before each further query', async () => {
    const { check, findStatus } = setUp({ find });
    for (const round of [1, 2, 3]) {
      const first = check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await first).toBeUndefined();
      expect(findStatus).toHaveBeenCalledTimes(round);
      await vi.advanceTimersByTimeAsync(STORE_RETRY_DELAY_MS - 1);
      for (const id of ['here', 'another', 'a third']) {
        expect(await isSettledAfter(check(inSession(id)), 0)).toBe(true);
      }
      expect(findStatus).toHaveBeenCalledTimes(round);
      await vi.advanceTimersByTimeAsync(1);
    }
  });

  it('delays many concurrent requests no longer than one', async () => {
    const { check } = setUp({ find });
    const all = Promise.all(Array.from({ length: 50 }, (_, index) => check(inSession(`${index % 25}`))));
    expect(await isSettledAfter(all, waitedMs)).toBe(true);
    expect(new Set(await all)).toEqual(new Set([undefined]));
  });

  it.each([
    [60, 60_000],
    [6, 6_000],
    [5, STALE_AFTER_MS],
    [3, STALE_AFTER_MS],
    [0, STALE_AFTER_MS],
  ])(
    'fails open for maxStaleSeconds = %i, but for at least five seconds',
    async (maxStaleSeconds, mostMs) => {
      const last = setUp({ find, maxStaleSeconds, syncedAgoMs: mostMs - waitedMs });
      const accepted = last.check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await accepted).toBeUndefined();

      const { check } = setUp({ find, maxStaleSeconds, syncedAgoMs: mostMs + 1 });
      const rejected = check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await rejected).toBe('REVOCATIONS_UNAVAILABLE');
    },
  );

  it('queries the store every time once it fails closed, and recovers with it', async () => {
    let isBack = false;
    const { check, findStatus } = setUp({
      syncedAgoMs: 3_600_000,
      find: async (id) => (isBack ? LIVE : find(id)),
    });
    for (const round of [1, 2, 3]) {
      const rejected = check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await rejected).toBe('REVOCATIONS_UNAVAILABLE');
      expect(findStatus).toHaveBeenCalledTimes(round);
    }
    isBack = true;
    expect(await check(ada)).toBeUndefined();
  });

  it('uses known events, however old the feed is', async () => {
    const { changes, check } = setUp({ find, syncedAgoMs: 3_600_000 });
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['admin'], changedAt: NOW });
    expect(check(ada)).toBe('TOKEN_REVOKED');
    const expired = check(inSession('another'));
    await vi.advanceTimersByTimeAsync(waitedMs);
    expect(await expired).toBe('TOKEN_EXPIRED');
  });
});

describe('while a request waits for a hanging store, the check', () => {
  it('accepts if the feed syncs', async () => {
    const { check, sync } = setUp({ find: hangs, maxStaleSeconds: 0 });
    const result = check(ada);
    await vi.advanceTimersByTimeAsync(100);
    sync();
    await vi.advanceTimersByTimeAsync(STORE_TIMEOUT_MS);
    expect(await result).toBeUndefined();
  });

  it('rejects if the feed delivers a revocation', async () => {
    const { changes, check, sync } = setUp({ find: hangs });
    const result = check(ada);
    await vi.advanceTimersByTimeAsync(100);
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    sync();
    await vi.advanceTimersByTimeAsync(STORE_TIMEOUT_MS);
    expect(await result).toBe('TOKEN_REVOKED');
  });
});

describe('roles of a token that may be newer than the last known change', () => {
  const fresh = { ...ada, claims: { iat: NOW.getTime() / 1000 } };
  const setUpChanged = (find: FindStatus) => {
    const parts = setUp({ syncedAgoMs: 0, find });
    parts.changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['author'], changedAt: NOW });
    return parts;
  };

  it.each<[string, SessionStatus | undefined, TokenProblem | undefined]>([
    ['the same roles', LIVE, undefined],
    ['other roles', { ...LIVE, roles: ['author'] }, 'TOKEN_EXPIRED'],
    ['fewer roles', { ...LIVE, roles: [] }, 'TOKEN_EXPIRED'],
    ['a revoked session', { ...LIVE, revokedAt: NOW }, 'TOKEN_REVOKED'],
    ['no such session', undefined, 'TOKEN_REVOKED'],
  ])('come from the store, which has %s', async (_, status, problem) => {
    const { check, findStatus } = setUpChanged(async () => status);
    expect(await check(fresh)).toBe(problem);
    expect(findStatus).toHaveBeenCalledTimes(1);
    const older = { ...ada, claims: { iat: NOW.getTime() / 1000 - 61 } };
    expect(check(older)).toBe('TOKEN_EXPIRED'); // at once
    expect(findStatus).toHaveBeenCalledTimes(1);
  });

  it('count as expired if the store cannot be read', async () => {
    const { check } = setUpChanged(fails);
    expect(await check(fresh)).toBe('TOKEN_EXPIRED');
  });
});
