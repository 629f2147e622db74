// What changed lately is remembered for as long as an access token from before can still be valid, and then leaves memory.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExpiringMap } from '../../../src/tokens/revocation/expiring-map.ts';

const TTL_SECONDS = 600;
/** How far apart clocks may be. */
const MARGIN_SECONDS = 60;
/** Entries that are due leave memory within this time. */
const SWEEP_SECONDS = 10;
const LIFETIME_SECONDS = TTL_SECONDS + MARGIN_SECONDS;
const START = new Date('2026-01-31T12:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const createChanges = () => createExpiringMap<string>(TTL_SECONDS, () => new Date());
const pass = (seconds: number) => void vi.advanceTimersByTime(seconds * 1000);

describe('recent changes', () => {
  it('are those that were told, and no others', () => {
    const changes = createChanges();
    changes.set('session', 'ended');
    expect(changes.get('session')).toBe('ended');
    expect(changes.get('other')).toBeUndefined();
    expect(changes.get('')).toBeUndefined();
    expect(changes.size).toBe(1);
  });

  it('count once for a key however often it is told, and the last is the one that counts', () => {
    const changes = createChanges();
    for (const value of ['first', 'second', 'second']) changes.set('session', value);
    expect(changes.size).toBe(1);
    expect(changes.get('session')).toBe('second');
  });

  it('matter from the time on when the oldest valid token was made', () => {
    const changes = createChanges();
    expect(changes.replayFrom()).toEqual(after(-LIFETIME_SECONDS));
    pass(100);
    expect(changes.replayFrom()).toEqual(after(100 - LIFETIME_SECONDS));
  });
});

describe('a change', () => {
  it.each([
    ['a moment after it', 0.001],
    ['just before the last token from before it expires', TTL_SECONDS - 0.001],
    ['when the last token from before it expires', TTL_SECONDS],
    ['while clocks may still differ', LIFETIME_SECONDS - 0.001],
  ])('is still known %s', (_, seconds) => {
    const changes = createChanges();
    changes.set('session', 'ended');
    pass(seconds);
    expect(changes.get('session')).toBe('ended');
  });

  it('leaves memory when it is due, though nothing else happens, and leaves no timer behind', () => {
    const changes = createChanges();
    changes.set('session', 'ended');
    pass(LIFETIME_SECONDS + SWEEP_SECONDS);
    expect(changes.size).toBe(0);
    expect(changes.get('session')).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that happens once more is known for its whole time again', () => {
    const changes = createChanges();
    changes.set('user', 'first');
    changes.set('other', 'only');
    pass(300);
    changes.set('user', 'second');
    pass(LIFETIME_SECONDS - 1);
    expect(changes.get('other')).toBeUndefined();
    expect(changes.get('user')).toBe('second');
    pass(1 + SWEEP_SECONDS);
    expect(changes.size).toBe(0);
  });

  it('is known for its whole time from when it is heard of, and each for its own', () => {
    const changes = createChanges();
    changes.set('first', 'ended');
    pass(20);
    changes.set('second', 'ended');
    pass(LIFETIME_SECONDS - 0.001);
    expect([changes.get('first'), changes.get('second')]).toEqual([undefined, 'ended']);
    pass(SWEEP_SECONDS + 0.001);
    expect(changes.size).toBe(0);
  });
});

describe('the memory of changes', () => {
  it('lets go of those that are due and keeps the others', () => {
    const changes = createChanges();
    for (let second = 0; second < 100; second += 1) {
      changes.set(`${second}`, 'ended');
      pass(1);
    }
    expect(changes.size).toBe(100);
    pass(LIFETIME_SECONDS - 50); // sweeps come every ten seconds, so now is one
    expect(changes.size).toBe(49);
    expect(changes.get('50')).toBeUndefined();
    expect(changes.get('51')).toBe('ended');
  });

  it('does not grow for ever under a steady stream, and goes on with one timer', () => {
    const changes = createChanges();
    let most = 0;
    for (let second = 0; second < 5_000; second += 1) {
      changes.set(`${second}`, 'ended');
      pass(1);
      most = Math.max(most, changes.size);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(most).toBeGreaterThanOrEqual(LIFETIME_SECONDS);
    expect(most).toBeLessThanOrEqual(LIFETIME_SECONDS + SWEEP_SECONDS);
  });
});

describe('watching a key', () => {
  it('tells each change from then on, and none of other keys', () => {
    const changes = createChanges();
    const told: string[] = [];
    changes.watch('user', (value) => told.push(value));
    expect(told).toEqual([]);
    changes.set('other', 'of another');
    changes.set('user', 'first');
    changes.set('user', 'second');
    expect(told).toEqual(['first', 'second']);
  });

  it('tells at once what is known already', () => {
    const changes = createChanges();
    changes.set('user', 'first');
    const told: string[] = [];
    changes.watch('user', (value) => told.push(value));
    expect(told).toEqual(['first']);
  });

  it('ends when it is stopped, and for who has stopped it alone', () => {
    const changes = createChanges();
    const told: string[] = [];
    const stops = ['a', 'b'].map((name) => changes.watch('user', (value) => told.push(`${name} ${value}`)));
    stops[0]?.();
    changes.set('user', 'first');
    expect(told).toEqual(['b first']);
    stops[1]?.();
    changes.set('user', 'second');
    expect(told).toEqual(['b first']);
  });

  it('may be stopped twice without harm to who watches since', () => {
    const changes = createChanges();
    const stop = changes.watch('user', () => {});
    stop();
    const told: string[] = [];
    changes.watch('user', (value) => told.push(value));
    stop();
    changes.set('user', 'first');
    expect(told).toEqual(['first']);
  });

  it('may be stopped by what it calls, while others are told', () => {
    const changes = createChanges();
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const stop = changes.watch('user', (value) => {
        stop();
        told.push(`${name} ${value}`);
      });
    }
    changes.set('user', 'first');
    changes.set('user', 'second');
    expect(told).toEqual(['a first', 'b first', 'c first']);
  });

  it('may be begun anew by what it calls, and is told the change once', () => {
    const changes = createChanges();
    const told: string[] = [];
    changes.watch('user', () => {});
    const stop = changes.watch('user', () => {
      stop();
      changes.watch('user', (value) => told.push(value));
    });
    changes.set('user', 'first');
    expect(told).toEqual(['first']);
  });

  it('goes on where what is known has left memory', () => {
    const changes = createChanges();
    changes.set('user', 'first');
    const told: string[] = [];
    changes.watch('user', (value) => told.push(value));
    pass(LIFETIME_SECONDS + SWEEP_SECONDS);
    changes.set('user', 'second');
    expect(told).toEqual(['first', 'second']);
  });
});
