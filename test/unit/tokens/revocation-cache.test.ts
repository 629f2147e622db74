// Verified tokens that are no longer accepted, found in memory only.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenProblem } from '../../../src/errors.ts';
import type { FeedEvent } from '../../../src/storage/store.ts';
import { createRevocationCache, hasRoles } from '../../../src/tokens/revocation/revocation-cache.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const TTL_SECONDS = 600;
/** An entry is removed after the lifetime of a token, the maximum difference of clocks, and the interval of sweeps. */
const REMOVED_SECONDS = TTL_SECONDS + 60 + 10;
const START = new Date('2026-01-31T12:00:00Z');

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const createCache = () => createRevocationCache(TTL_SECONDS, () => new Date());
const revoked = (sessionId: string): FeedEvent => ({
  kind: 'SESSION_REVOKED',
  sessionId,
  revokedAt: new Date(),
});
const rolesOf = (userId: string, ...roles: string[]): FeedEvent => ({
  kind: 'ROLES_CHANGED',
  userId,
  roles,
  changedAt: new Date(),
});
/** Ada in her session `here`. */
const ada = (...roles: string[]) => createPrincipal({ sessionId: 'here', roles: new Set(roles) });

describe('a token', () => {
  it('stays valid without any event', () => {
    expect(createCache().findProblem(ada('editor'))).toBeUndefined();
  });

  it('gives TOKEN_REVOKED once its session is revoked; other sessions stay', () => {
    const cache = createCache();
    cache.apply(revoked('here'));
    expect(cache.findProblem(ada())).toBe('TOKEN_REVOKED');
    expect(cache.findProblem({ ...ada(), sessionId: 'elsewhere' })).toBeUndefined();
    expect(cache.findProblem({ ...ada(), sessionId: '' })).toBeUndefined();
    expect(cache.revokedSessions).toBe(1);
  });

  it.each<[string, string[], string[], TokenProblem | undefined]>([
    ['lacks an added role', ['editor'], ['editor', 'admin'], 'TOKEN_EXPIRED'],
    ['has a removed role', ['editor', 'admin'], ['editor'], 'TOKEN_EXPIRED'],
    ['has a replaced role', ['editor'], ['author'], 'TOKEN_EXPIRED'],
    ['has roles, unlike its user now', ['editor'], [], 'TOKEN_EXPIRED'],
    ['has no roles, unlike its user now', [], ['editor'], 'TOKEN_EXPIRED'],
    ['has the current roles', ['editor', 'admin'], ['editor', 'admin'], undefined],
    ['has the current roles in another order', ['admin', 'editor'], ['editor', 'admin'], undefined],
    ['has no roles, like its user now', [], [], undefined],
  ])('compares its roles with the current ones: it %s', (_, inToken, current, problem) => {
    const cache = createCache();
    cache.apply(rolesOf('ada', ...current));
    expect(cache.findProblem(ada(...inToken))).toBe(problem);
  });

  it('expires in every session of a user whose roles changed, and of no other', () => {
    const cache = createCache();
    cache.apply(rolesOf('ada', 'admin'));
    expect(cache.findProblem({ ...ada(), sessionId: 'elsewhere' })).toBe('TOKEN_EXPIRED');
    expect(cache.findProblem({ ...ada(), userId: 'bob' })).toBeUndefined();
  });

  it('depends on the last of several cache', () => {
    const cache = createCache();
    cache.apply(rolesOf('ada', 'admin'));
    cache.apply(rolesOf('ada', 'editor'));
    expect(cache.findProblem(ada('admin'))).toBe('TOKEN_EXPIRED');
    expect(cache.findProblem(ada('editor'))).toBeUndefined();
  });

  it('gives TOKEN_REVOKED if the session is revoked and its roles changed', () => {
    const cache = createCache();
    cache.apply(rolesOf('ada', 'admin'));
    cache.apply(revoked('here'));
    expect(cache.findProblem(ada())).toBe('TOKEN_REVOKED');
  });

  it('stays valid after a change of keys', () => {
    const cache = createCache();
    cache.apply({ kind: 'KEYS_CHANGED' });
    expect(cache.findProblem(ada())).toBeUndefined();
    expect(cache.revokedSessions).toBe(0);
  });
});

describe('a revocation', () => {
  it('leaves the cache once every older token has expired', () => {
    const cache = createCache();
    cache.apply(revoked('here'));
    cache.apply(rolesOf('ada', 'admin'));
    vi.advanceTimersByTime(TTL_SECONDS * 1000);
    expect(cache.findProblem(ada())).toBe('TOKEN_REVOKED');
    vi.advanceTimersByTime((REMOVED_SECONDS - TTL_SECONDS) * 1000);
    expect(cache.revokedSessions).toBe(0);
    expect(cache.findProblem(ada())).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('matters from the issue of the oldest valid token', () => {
    expect(createCache().replayFrom().getTime()).toBeLessThanOrEqual(START.getTime() - TTL_SECONDS * 1000);
  });
});

describe('watching a session', () => {
  function watch(cache = createCache(), principal = ada('editor')) {
    const ends: TokenProblem[] = [];
    const stop = cache.watch(principal, (problem) => ends.push(problem));
    return { cache, ends, stop };
  }

  it('reports its revocation once', () => {
    const { cache, ends } = watch();
    cache.apply(revoked('elsewhere'));
    expect(ends).toEqual([]);
    cache.apply(revoked('here'));
    cache.apply(revoked('here'));
    cache.apply(rolesOf('ada', 'admin'));
    expect(ends).toEqual(['TOKEN_REVOKED']);
  });

  it('reports a change of the user’s roles once', () => {
    const { cache, ends } = watch();
    cache.apply(rolesOf('bob', 'admin'));
    cache.apply(rolesOf('ada', 'editor')); // as in the token
    expect(ends).toEqual([]);
    cache.apply(rolesOf('ada', 'admin'));
    cache.apply(rolesOf('ada', 'editor'));
    cache.apply(rolesOf('ada'));
    cache.apply(revoked('here'));
    expect(ends).toEqual(['TOKEN_EXPIRED']);
  });

  it.each([
    ['revoked', [revoked('here')], 'TOKEN_REVOKED'],
    ['with other roles', [rolesOf('ada', 'admin')], 'TOKEN_EXPIRED'],
    ['both', [rolesOf('ada', 'admin'), revoked('here')], 'TOKEN_REVOKED'],
  ] as const)('reports an earlier event immediately and once: %s', (_, past, problem) => {
    const cache = createCache();
    for (const change of past) cache.apply(change);
    const { ends, stop } = watch(cache);
    expect(ends).toEqual([problem]);
    cache.apply(revoked('here'));
    cache.apply(rolesOf('ada'));
    stop();
    expect(ends).toEqual([problem]);
  });

  it('reports nothing after stop, which may be called twice', () => {
    const { cache, ends, stop } = watch();
    stop();
    stop();
    cache.apply(revoked('here'));
    cache.apply(rolesOf('ada', 'admin'));
    expect(ends).toEqual([]);
  });

  it('reports to every watcher of the session', () => {
    const { cache, ends } = watch();
    const others = [watch(cache), watch(cache)];
    others[0]?.stop();
    cache.apply(revoked('here'));
    expect([ends, ...others.map((other) => other.ends)]).toEqual([['TOKEN_REVOKED'], [], ['TOKEN_REVOKED']]);
  });
});

describe('hasRoles', () => {
  it('counts a duplicate role once', () => {
    expect(hasRoles(ada('editor', 'admin'), ['editor', 'admin'])).toBe(true);
    expect(hasRoles(ada('editor', 'admin'), ['editor', 'author'])).toBe(false);
    expect(hasRoles(ada('editor'), ['editor', 'editor'])).toBe(true);
  });
});

describe('a token with other roles than the last known change', () => {
  const SECONDS = START.getTime() / 1000;
  const issued = (iat: number, ...roles: string[]) => ({ ...ada(...roles), claims: { iat } });

  it.each([
    [-61, 'TOKEN_EXPIRED'],
    [-60, 'ROLES_UNCERTAIN'],
    [0, 'ROLES_UNCERTAIN'],
    [60, 'ROLES_UNCERTAIN'],
  ])('counts as older only beyond the clock difference: issued %i s later: %s', (seconds, problem) => {
    const cache = createCache();
    cache.apply(rolesOf('ada', 'admin'));
    expect(cache.findProblem(issued(SECONDS + seconds, 'editor'))).toBe(problem);
    expect(cache.findProblem(issued(SECONDS + seconds, 'admin'))).toBeUndefined();
    cache.apply(revoked('here'));
    expect(cache.findProblem(issued(SECONDS + seconds, 'editor'))).toBe('TOKEN_REVOKED');
  });

  it('ends a watch only if the store confirms', async () => {
    const cache = createCache();
    const ends: TokenProblem[] = [];
    const results: (TokenProblem | undefined)[] = [undefined, 'TOKEN_EXPIRED'];
    cache.watch(
      issued(SECONDS, 'editor'),
      (problem) => ends.push(problem),
      async () => results.shift(),
    );
    cache.apply(rolesOf('ada', 'admin'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual([]); // issued after a change that is not known here yet
    cache.apply(rolesOf('ada'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual(['TOKEN_EXPIRED']);
    expect(results).toEqual([]);
  });
});
