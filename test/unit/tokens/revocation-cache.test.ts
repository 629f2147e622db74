// Which verified tokens are worth nothing any more, from memory alone.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenProblem } from '../../../src/errors.ts';
import type { FeedEvent } from '../../../src/storage/store.ts';
import { createRevocationCache, hasRoles } from '../../../src/tokens/revocation/revocation-cache.ts';
import { createPrincipal } from '../../support/guarded-app.ts';

const TTL_SECONDS = 600;
/** After this a change is remembered no more: the token's lifetime, what clocks may differ by, and a sweep. */
const FORGOTTEN_SECONDS = TTL_SECONDS + 60 + 10;
const START = new Date('2026-01-31T12:00:00Z');

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const createChanges = () => createRevocationCache(TTL_SECONDS, () => new Date());
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
  it('is accepted while nothing has changed', () => {
    expect(createChanges().findProblem(ada('editor'))).toBeUndefined();
  });

  it('is refused with TOKEN_REVOKED once its session has ended, and those of other sessions are not', () => {
    const changes = createChanges();
    changes.apply(revoked('here'));
    expect(changes.findProblem(ada())).toBe('TOKEN_REVOKED');
    expect(changes.findProblem({ ...ada(), sessionId: 'elsewhere' })).toBeUndefined();
    expect(changes.findProblem({ ...ada(), sessionId: '' })).toBeUndefined();
    expect(changes.revokedSessions).toBe(1);
  });

  it.each<[string, string[], string[], TokenProblem | undefined]>([
    ['lacks a role that was given', ['editor'], ['editor', 'admin'], 'TOKEN_EXPIRED'],
    ['has a role that was taken away', ['editor', 'admin'], ['editor'], 'TOKEN_EXPIRED'],
    ['has another role in its place', ['editor'], ['author'], 'TOKEN_EXPIRED'],
    ['has roles, and its user none any more', ['editor'], [], 'TOKEN_EXPIRED'],
    ['has none, and its user has some now', [], ['editor'], 'TOKEN_EXPIRED'],
    ['has the roles of now', ['editor', 'admin'], ['editor', 'admin'], undefined],
    ['has the roles of now in another order', ['admin', 'editor'], ['editor', 'admin'], undefined],
    ['has no roles, as its user has none now', [], [], undefined],
  ])('that %s is judged by that', (_, inToken, current, problem) => {
    const changes = createChanges();
    changes.apply(rolesOf('ada', ...current));
    expect(changes.findProblem(ada(...inToken))).toBe(problem);
  });

  it('is refused in every session of the user whose roles changed, and of no other', () => {
    const changes = createChanges();
    changes.apply(rolesOf('ada', 'admin'));
    expect(changes.findProblem({ ...ada(), sessionId: 'elsewhere' })).toBe('TOKEN_EXPIRED');
    expect(changes.findProblem({ ...ada(), userId: 'bob' })).toBeUndefined();
  });

  it('is judged by the last of several changes', () => {
    const changes = createChanges();
    changes.apply(rolesOf('ada', 'admin'));
    changes.apply(rolesOf('ada', 'editor'));
    expect(changes.findProblem(ada('admin'))).toBe('TOKEN_EXPIRED');
    expect(changes.findProblem(ada('editor'))).toBeUndefined();
  });

  it('of an ended session is TOKEN_REVOKED though its roles have changed as well: there is nothing to refresh', () => {
    const changes = createChanges();
    changes.apply(rolesOf('ada', 'admin'));
    changes.apply(revoked('here'));
    expect(changes.findProblem(ada())).toBe('TOKEN_REVOKED');
  });

  it('has nothing to do with the keys', () => {
    const changes = createChanges();
    changes.apply({ kind: 'KEYS_CHANGED' });
    expect(changes.findProblem(ada())).toBeUndefined();
    expect(changes.revokedSessions).toBe(0);
  });
});

describe('what changed', () => {
  it('is forgotten when no token from before can be valid', () => {
    const changes = createChanges();
    changes.apply(revoked('here'));
    changes.apply(rolesOf('ada', 'admin'));
    vi.advanceTimersByTime(TTL_SECONDS * 1000);
    expect(changes.findProblem(ada())).toBe('TOKEN_REVOKED');
    vi.advanceTimersByTime((FORGOTTEN_SECONDS - TTL_SECONDS) * 1000);
    expect(changes.revokedSessions).toBe(0);
    expect(changes.findProblem(ada())).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('matters from the time on when the oldest valid token was made', () => {
    expect(createChanges().replayFrom().getTime()).toBeLessThanOrEqual(START.getTime() - TTL_SECONDS * 1000);
  });
});

describe('watching a session', () => {
  function watch(changes = createChanges(), principal = ada('editor')) {
    const ends: TokenProblem[] = [];
    const stop = changes.watch(principal, (problem) => ends.push(problem));
    return { changes, ends, stop };
  }

  it('tells when it is revoked, once', () => {
    const { changes, ends } = watch();
    changes.apply(revoked('elsewhere'));
    expect(ends).toEqual([]);
    changes.apply(revoked('here'));
    changes.apply(revoked('here'));
    changes.apply(rolesOf('ada', 'admin'));
    expect(ends).toEqual(['TOKEN_REVOKED']);
  });

  it('tells when the roles of its user become others, once', () => {
    const { changes, ends } = watch();
    changes.apply(rolesOf('bob', 'admin'));
    changes.apply(rolesOf('ada', 'editor')); // as in the token
    expect(ends).toEqual([]);
    changes.apply(rolesOf('ada', 'admin'));
    changes.apply(rolesOf('ada', 'editor'));
    changes.apply(rolesOf('ada'));
    changes.apply(revoked('here'));
    expect(ends).toEqual(['TOKEN_EXPIRED']);
  });

  it.each([
    ['revoked', [revoked('here')], 'TOKEN_REVOKED'],
    ['of other roles', [rolesOf('ada', 'admin')], 'TOKEN_EXPIRED'],
    ['both', [rolesOf('ada', 'admin'), revoked('here')], 'TOKEN_REVOKED'],
  ] as const)('tells at once, and once, where it is %s already', (_, past, problem) => {
    const changes = createChanges();
    for (const change of past) changes.apply(change);
    const { ends, stop } = watch(changes);
    expect(ends).toEqual([problem]);
    changes.apply(revoked('here'));
    changes.apply(rolesOf('ada'));
    stop();
    expect(ends).toEqual([problem]);
  });

  it('tells nothing once it is stopped, and may be stopped again', () => {
    const { changes, ends, stop } = watch();
    stop();
    stop();
    changes.apply(revoked('here'));
    changes.apply(rolesOf('ada', 'admin'));
    expect(ends).toEqual([]);
  });

  it('tells each of many who watch the same one', () => {
    const { changes, ends } = watch();
    const others = [watch(changes), watch(changes)];
    others[0]?.stop();
    changes.apply(revoked('here'));
    expect([ends, ...others.map((other) => other.ends)]).toEqual([['TOKEN_REVOKED'], [], ['TOKEN_REVOKED']]);
  });
});

describe('having roles', () => {
  it('counts a role once that is listed twice', () => {
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
  ])(
    'is certainly older only beyond what clocks may differ by: issued %i s later: %s',
    (seconds, problem) => {
      const changes = createChanges();
      changes.apply(rolesOf('ada', 'admin'));
      expect(changes.findProblem(issued(SECONDS + seconds, 'editor'))).toBe(problem);
      expect(changes.findProblem(issued(SECONDS + seconds, 'admin'))).toBeUndefined();
      changes.apply(revoked('here'));
      expect(changes.findProblem(issued(SECONDS + seconds, 'editor'))).toBe('TOKEN_REVOKED');
    },
  );

  it('ends a watch if the store says so, and only then', async () => {
    const changes = createChanges();
    const ends: TokenProblem[] = [];
    const answers: (TokenProblem | undefined)[] = [undefined, 'TOKEN_EXPIRED'];
    changes.watch(
      issued(SECONDS, 'editor'),
      (problem) => ends.push(problem),
      async () => answers.shift(),
    );
    changes.apply(rolesOf('ada', 'admin'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual([]); // issued after a change that is not known here yet
    changes.apply(rolesOf('ada'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual(['TOKEN_EXPIRED']);
    expect(answers).toEqual([]);
  });
});
