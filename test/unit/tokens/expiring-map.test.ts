// Entries stay for as long as an access token from before can be valid, and are then removed from memory.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExpiringMap } from '../../../src/tokens/revocation/expiring-map.ts';

const TTL_SECONDS = 600;
/** Maximum difference of clocks. */
const MARGIN_SECONDS = 60;
/** Expired entries are removed within this time. */
const SWEEP_SECONDS = 10;
const LIFETIME_SECONDS = TTL_SECONDS + MARGIN_SECONDS;
const START = new Date('2026-01-31T12:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const createEntries = () => createExpiringMap<string>(TTL_SECONDS, () => new Date());
const pass = (seconds: number) => void vi.advanceTimersByTime(seconds * 1000);

describe('the entries of an expiring map', () => {
  it('contain exactly the keys that were set', () => {
    const entries = createEntries();
    entries.set('session', 'ended');
    expect(entries.get('session')).toBe('ended');
    expect(entries.get('other')).toBeUndefined();
    expect(entries.get('')).toBeUndefined();
    expect(entries.size).toBe(1);
  });

  it('contain a key once, with the last value that was set', () => {
    const entries = createEntries();
    for (const value of ['first', 'second', 'second']) entries.set('session', value);
    expect(entries.size).toBe(1);
    expect(entries.get('session')).toBe('second');
  });

  it('matter from the issue of the oldest valid token', () => {
    const entries = createEntries();
    expect(entries.replayFrom()).toEqual(after(-LIFETIME_SECONDS));
    pass(100);
    expect(entries.replayFrom()).toEqual(after(100 - LIFETIME_SECONDS));
  });
});

describe('an entry', () => {
  it.each([
    ['a millisecond later', 0.001],
    ['just before the last token from before it expires', TTL_SECONDS - 0.001],
    ['when the last token from before it expires', TTL_SECONDS],
    ['while clocks may still differ', LIFETIME_SECONDS - 0.001],
  ])('stays %s', (_, seconds) => {
    const entries = createEntries();
    entries.set('session', 'ended');
    pass(seconds);
    expect(entries.get('session')).toBe('ended');
  });

  it('leaves memory when it expires, together with the timer', () => {
    const entries = createEntries();
    entries.set('session', 'ended');
    pass(LIFETIME_SECONDS + SWEEP_SECONDS);
    expect(entries.size).toBe(0);
    expect(entries.get('session')).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays for the full time again after the key was set again', () => {
    const entries = createEntries();
    entries.set('user', 'first');
    entries.set('other', 'only');
    pass(300);
    entries.set('user', 'second');
    pass(LIFETIME_SECONDS - 1);
    expect(entries.get('other')).toBeUndefined();
    expect(entries.get('user')).toBe('second');
    pass(1 + SWEEP_SECONDS);
    expect(entries.size).toBe(0);
  });

  it('stays for the full time since it was set, regardless of other entries', () => {
    const entries = createEntries();
    entries.set('first', 'ended');
    pass(20);
    entries.set('second', 'ended');
    pass(LIFETIME_SECONDS - 0.001);
    expect([entries.get('first'), entries.get('second')]).toEqual([undefined, 'ended']);
    pass(SWEEP_SECONDS + 0.001);
    expect(entries.size).toBe(0);
  });
});

describe('the memory of an expiring map', () => {
  it('drops expired entries only', () => {
    const entries = createEntries();
    for (let second = 0; second < 100; second += 1) {
      entries.set(`${second}`, 'ended');
      pass(1);
    }
    expect(entries.size).toBe(100);
    pass(LIFETIME_SECONDS - 50); // sweeps come every ten seconds, so now is one
    expect(entries.size).toBe(49);
    expect(entries.get('50')).toBeUndefined();
    expect(entries.get('51')).toBe('ended');
  });

  it('stays bounded under a steady stream, with one timer', () => {
    const entries = createEntries();
    let most = 0;
    for (let second = 0; second < 5_000; second += 1) {
      entries.set(`${second}`, 'ended');
      pass(1);
      most = Math.max(most, entries.size);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(most).toBeGreaterThanOrEqual(LIFETIME_SECONDS);
    expect(most).toBeLessThanOrEqual(LIFETIME_SECONDS + SWEEP_SECONDS);
  });
});

describe('watching a key', () => {
  it('reports every later value of the key, and none of other keys', () => {
    const entries = createEntries();
    const values: string[] = [];
    entries.watch('user', (value) => values.push(value));
    expect(values).toEqual([]);
    entries.set('other', 'of another');
    entries.set('user', 'first');
    entries.set('user', 'second');
    expect(values).toEqual(['first', 'second']);
  });

  it('reports an existing value immediately', () => {
    const entries = createEntries();
    entries.set('user', 'first');
    const values: string[] = [];
    entries.watch('user', (value) => values.push(value));
    expect(values).toEqual(['first']);
  });

  it('stops only for the watcher that stopped it', () => {
    const entries = createEntries();
    const values: string[] = [];
    const stops = ['a', 'b'].map((name) => entries.watch('user', (value) => values.push(`${name} ${value}`)));
    stops[0]?.();
    entries.set('user', 'first');
    expect(values).toEqual(['b first']);
    stops[1]?.();
    entries.set('user', 'second');
    expect(values).toEqual(['b first']);
  });

  it('tolerates a second stop after another watch has started', () => {
    const entries = createEntries();
    const stop = entries.watch('user', () => {});
    stop();
    const values: string[] = [];
    entries.watch('user', (value) => values.push(value));
    stop();
    entries.set('user', 'first');
    expect(values).toEqual(['first']);
  });

  it('tolerates a stop inside the callback while others are called', () => {
    const entries = createEntries();
    const values: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const stop = entries.watch('user', (value) => {
        stop();
        values.push(`${name} ${value}`);
      });
    }
    entries.set('user', 'first');
    entries.set('user', 'second');
    expect(values).toEqual(['a first', 'b first', 'c first']);
  });

  it('reports the value once if the callback starts a new watch', () => {
    const entries = createEntries();
    const values: string[] = [];
    entries.watch('user', () => {});
    const stop = entries.watch('user', () => {
      stop();
      entries.watch('user', (value) => values.push(value));
    });
    entries.set('user', 'first');
    expect(values).toEqual(['first']);
  });

  it('continues after the entry has expired', () => {
    const entries = createEntries();
    entries.set('user', 'first');
    const values: string[] = [];
    entries.watch('user', (value) => values.push(value));
    pass(LIFETIME_SECONDS + SWEEP_SECONDS);
    entries.set('user', 'second');
    expect(values).toEqual(['first', 'second']);
  });
});
