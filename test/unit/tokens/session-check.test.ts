// Whether a session still stands: from memory, from the store while changes are not heard, and for a while from neither.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenProblem } from '../../../src/errors.ts';
import type { SessionStatus } from '../../../src/storage/store.ts';
import type { Principal } from '../../../src/tokens/principal.ts';
import { createRevocationCache } from '../../../src/tokens/revocation/revocation-cache.ts';
import { createSessionCheck } from '../../../src/tokens/revocation/session-check.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const STALE_AFTER_MS = 5_000;
const ASK_WITHIN_MS = 250;
const ASK_AGAIN_AFTER_MS = 1_000;
const STANDS: SessionStatus = { revokedAt: undefined, roles: ['editor'] };
const NOW = new Date('2026-01-31T12:00:00Z');

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

const ada = createPrincipal({ sessionId: 'here', roles: new Set(['editor']) });
const inSession = (sessionId: string): Principal => ({ ...ada, sessionId });

type FindStanding = (sessionId: string) => Promise<SessionStatus | undefined>;

/** Changes were heard last `heardAgoMs` ago; time is what the fake timers say. */
function setUp({
  heardAgoMs = STALE_AFTER_MS + 1,
  maxStaleSeconds = 60,
  find = async () => STANDS,
}: {
  heardAgoMs?: number;
  maxStaleSeconds?: number;
  find?: FindStanding;
} = {}) {
  const changes = createRevocationCache(600, () => new Date());
  const findStanding = vi.fn(find);
  let heardAt = performance.now() - heardAgoMs;
  const check = createSessionCheck({
    revocations: changes,
    feedSyncedAt: () => heardAt,
    findStatus: findStanding,
    maxStaleSeconds,
  });
  return {
    changes,
    check,
    findStanding,
    hear() {
      heardAt = performance.now();
    },
  };
}

const hangs = () => new Promise<never>(() => {});
const fails = () => Promise.reject(new Error('The database is away'));
/** Answers a moment after nobody waits any more. */
const isLate = () => answersIn(ASK_WITHIN_MS + 1);
async function answersIn(milliseconds: number): Promise<SessionStatus> {
  const { promise, resolve } = Promise.withResolvers<SessionStatus>();
  setTimeout(() => resolve({ ...STANDS, revokedAt: NOW }), milliseconds);
  return promise;
}
async function failsLate(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('The database is away')), ASK_WITHIN_MS + 1);
  return promise;
}

describe('while changes are heard', () => {
  it.each([0, 1, STALE_AFTER_MS])('answers at once without asking the store, %i ms later', (heardAgoMs) => {
    const { check, findStanding } = setUp({ heardAgoMs, find: fails });
    expect(check(ada)).toBeUndefined(); // not a promise
    expect(findStanding).not.toHaveBeenCalled();
  });

  it.each<[TokenProblem, Principal]>([
    ['TOKEN_REVOKED', inSession('ended')],
    ['TOKEN_EXPIRED', { ...ada, roles: new Set(['editor', 'admin']) }],
  ])('answers %s at once from memory', (problem, principal) => {
    const { changes, check, findStanding } = setUp({ heardAgoMs: 0 });
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'ended', revokedAt: NOW });
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['editor'], changedAt: NOW });
    expect(check(principal)).toBe(problem);
    expect(check(ada)).toBeUndefined();
    expect(findStanding).not.toHaveBeenCalled();
  });

  it('asks the store no more once they are heard again', async () => {
    const { check, findStanding, hear } = setUp();
    await check(ada);
    expect(findStanding).toHaveBeenCalledTimes(1);
    hear();
    expect(check(ada)).toBeUndefined();
    expect(findStanding).toHaveBeenCalledTimes(1);
  });
});

describe('while changes are not heard', () => {
  it.each<[string, SessionStatus | undefined, TokenProblem | undefined]>([
    ['stands', STANDS, undefined],
    ['was revoked', { ...STANDS, revokedAt: NOW }, 'TOKEN_REVOKED'],
    ['is gone', undefined, 'TOKEN_REVOKED'],
    ['has a user with one role more', { ...STANDS, roles: ['editor', 'admin'] }, 'TOKEN_EXPIRED'],
    ['has a user with one role less', { ...STANDS, roles: [] }, 'TOKEN_EXPIRED'],
    ['has a user with another role', { ...STANDS, roles: ['admin'] }, 'TOKEN_EXPIRED'],
    ['has a user with a role that is listed twice', { ...STANDS, roles: ['editor', 'editor'] }, undefined],
  ])('answers as the store does for a session that %s', async (_, standing, problem) => {
    const { check, findStanding } = setUp({ find: async () => standing });
    expect(await check(ada)).toBe(problem);
    expect(findStanding.mock.calls).toEqual([['here']]);
  });

  it('answers at once where memory knows that the session has ended', () => {
    const { changes, check, findStanding } = setUp();
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    expect(check(ada)).toBe('TOKEN_REVOKED');
    expect(findStanding).not.toHaveBeenCalled();
  });

  it('believes the store where roles may have changed once more than memory knows', async () => {
    const { changes, check } = setUp();
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['author'], changedAt: NOW });
    expect(await check(ada)).toBeUndefined();
    expect(await check({ ...ada, roles: new Set(['author']) })).toBe('TOKEN_EXPIRED');
  });

  it('asks once for all who wait for a session, and for each session', async () => {
    const { check, findStanding } = setUp({ find: () => answersIn(100) });
    const sessions = Array.from({ length: 60 }, (_, index) => `session ${index % 3}`);
    const answers = Promise.all(sessions.map((id) => check(inSession(id))));
    await vi.advanceTimersByTimeAsync(100);
    expect(new Set(await answers)).toEqual(new Set(['TOKEN_REVOKED']));
    expect(findStanding.mock.calls).toEqual([['session 0'], ['session 1'], ['session 2']]);
  });

  it('asks again for whoever comes after the answer', async () => {
    const standings = [STANDS, { ...STANDS, revokedAt: NOW }];
    const { check, findStanding } = setUp({ find: async () => standings.shift() });
    expect(await check(ada)).toBeUndefined();
    expect(await check(ada)).toBe('TOKEN_REVOKED');
    expect(findStanding).toHaveBeenCalledTimes(2);
  });
});

describe.each<[string, FindStanding, number]>([
  ['rejects', fails, 0],
  [
    'throws',
    () => {
      throw new Error('The database is away');
    },
    0,
  ],
  ['hangs', hangs, ASK_WITHIN_MS],
  ['answers late', isLate, ASK_WITHIN_MS],
  ['rejects late', failsLate, ASK_WITHIN_MS],
])('where the store %s as well', (_, find, waitedMs) => {
  /** Whether the check has answered when so much time has passed. */
  async function isSettledAfter(answer: unknown, milliseconds: number): Promise<boolean> {
    let isSettled = false;
    void Promise.resolve(answer).then(() => {
      isSettled = true;
    });
    await vi.advanceTimersByTimeAsync(milliseconds);
    return isSettled;
  }

  it('goes on with what it knows, after 250 ms at most', async () => {
    const { check } = setUp({ find });
    const answer = check(ada);
    if (waitedMs > 0) expect(await isSettledAfter(answer, waitedMs - 1)).toBe(false);
    expect(await isSettledAfter(answer, 1)).toBe(true);
    expect(await answer).toBeUndefined();
    await vi.advanceTimersByTimeAsync(ASK_WITHIN_MS); // what comes late is heard by nobody
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets nobody wait for a second, then asks again, and again', async () => {
    const { check, findStanding } = setUp({ find });
    for (const round of [1, 2, 3]) {
      const first = check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await first).toBeUndefined();
      expect(findStanding).toHaveBeenCalledTimes(round);
      await vi.advanceTimersByTimeAsync(ASK_AGAIN_AFTER_MS - 1);
      for (const id of ['here', 'another', 'a third']) {
        expect(await isSettledAfter(check(inSession(id)), 0)).toBe(true);
      }
      expect(findStanding).toHaveBeenCalledTimes(round);
      await vi.advanceTimersByTimeAsync(1);
    }
  });

  it('lets many who come at once wait no longer than one', async () => {
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
  ])('goes on for the %i seconds configured, and for five at least', async (maxStaleSeconds, mostMs) => {
    const last = setUp({ find, maxStaleSeconds, heardAgoMs: mostMs - waitedMs });
    const accepted = last.check(ada);
    await vi.advanceTimersByTimeAsync(waitedMs);
    expect(await accepted).toBeUndefined();

    const { check } = setUp({ find, maxStaleSeconds, heardAgoMs: mostMs + 1 });
    const refused = check(ada);
    await vi.advanceTimersByTimeAsync(waitedMs);
    expect(await refused).toBe('REVOCATIONS_UNAVAILABLE');
  });

  it('is asked by everybody once there is no answer without it, and believed as soon as it answers', async () => {
    let isBack = false;
    const { check, findStanding } = setUp({
      heardAgoMs: 3_600_000,
      find: async (id) => (isBack ? STANDS : find(id)),
    });
    for (const round of [1, 2, 3]) {
      const refused = check(ada);
      await vi.advanceTimersByTimeAsync(waitedMs);
      expect(await refused).toBe('REVOCATIONS_UNAVAILABLE');
      expect(findStanding).toHaveBeenCalledTimes(round);
    }
    isBack = true;
    expect(await check(ada)).toBeUndefined();
  });

  it('says what memory knows, however old that is', async () => {
    const { changes, check } = setUp({ find, heardAgoMs: 3_600_000 });
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['admin'], changedAt: NOW });
    expect(check(ada)).toBe('TOKEN_REVOKED');
    const expired = check(inSession('another'));
    await vi.advanceTimersByTimeAsync(waitedMs);
    expect(await expired).toBe('TOKEN_EXPIRED');
  });
});

describe('what is heard while a request waits for a store that hangs', () => {
  it('counts: the session stands', async () => {
    const { check, hear } = setUp({ find: hangs, maxStaleSeconds: 0 });
    const answer = check(ada);
    await vi.advanceTimersByTimeAsync(100);
    hear();
    await vi.advanceTimersByTimeAsync(ASK_WITHIN_MS);
    expect(await answer).toBeUndefined();
  });

  it('counts: the session has ended', async () => {
    const { changes, check, hear } = setUp({ find: hangs });
    const answer = check(ada);
    await vi.advanceTimersByTimeAsync(100);
    changes.apply({ kind: 'SESSION_REVOKED', sessionId: 'here', revokedAt: NOW });
    hear();
    await vi.advanceTimersByTimeAsync(ASK_WITHIN_MS);
    expect(await answer).toBe('TOKEN_REVOKED');
  });
});

describe('roles of a token that may be newer than the last known change', () => {
  const fresh = { ...ada, claims: { iat: NOW.getTime() / 1000 } };
  const setUpChanged = (find: FindStanding) => {
    const parts = setUp({ heardAgoMs: 0, find });
    parts.changes.apply({ kind: 'ROLES_CHANGED', userId: 'ada', roles: ['author'], changedAt: NOW });
    return parts;
  };

  it.each<[string, SessionStatus | undefined, TokenProblem | undefined]>([
    ['the token’s', STANDS, undefined],
    ['others', { ...STANDS, roles: ['author'] }, 'TOKEN_EXPIRED'],
    ['fewer', { ...STANDS, roles: [] }, 'TOKEN_EXPIRED'],
    ['of a session that was revoked', { ...STANDS, revokedAt: NOW }, 'TOKEN_REVOKED'],
    ['of a session that is gone', undefined, 'TOKEN_REVOKED'],
  ])('are read from the store, which has %s', async (_, standing, problem) => {
    const { check, findStanding } = setUpChanged(async () => standing);
    expect(await check(fresh)).toBe(problem);
    expect(findStanding).toHaveBeenCalledTimes(1);
    const older = { ...ada, claims: { iat: NOW.getTime() / 1000 - 61 } };
    expect(check(older)).toBe('TOKEN_EXPIRED'); // at once
    expect(findStanding).toHaveBeenCalledTimes(1);
  });

  it('are those of an expired token if the store cannot be read', async () => {
    const { check } = setUpChanged(fails);
    expect(await check(fresh)).toBe('TOKEN_EXPIRED');
  });
});
