// Checks the cache that is bounded by bytes.
import { expect, it } from 'vitest';
import { createSeenCache } from '../../../src/http/documents/seen-cache.ts';

const LIMITS = { maxBytesSeenOnce: 10_000, maxBytesSeenTwice: 50_000 };

it('a cache filled with distinct texts stays within its bytes', () => {
  const cache = createSeenCache<object>(LIMITS);
  for (let i = 0; i < 1_000; i += 1) {
    cache.set(`text ${i}`, {}, i);
    if (i % 2 === 0) cache.get(`text ${i}`);
    expect(cache.bytes).toBeLessThanOrEqual(60_000);
  }
  expect(cache.bytes).toBeGreaterThan(40_000);
});

it('texts used once do not evict a text used twice', () => {
  const cache = createSeenCache<object>(LIMITS);
  const value = {};
  cache.set('kept', value, 1_000);
  cache.get('kept');
  for (let i = 0; i < 1_000; i += 1) cache.set(`text ${i}`, {}, 1_000);
  expect(cache.get('kept')).toBe(value);
});

it('a text set and read for the same request counts as used once', () => {
  const cache = createSeenCache<object>(LIMITS);
  cache.set('kept', {}, 1_000);
  cache.get('kept');
  for (let i = 0; i < 1_000; i += 1) {
    cache.set(`text ${i}`, {}, 1_000, 0);
    cache.get(`text ${i}`);
  }
  expect(cache.get('kept')).toBeDefined();
  expect(cache.bytes).toBeLessThan(12_000);
});

it('a value larger than the cache is not stored and evicts no other', () => {
  const cache = createSeenCache<object>(LIMITS);
  cache.set('small', {}, 1_000);
  cache.set('large', {}, 10_001);
  expect(cache.get('large')).toBeUndefined();
  expect(cache.get('small')).toBeDefined();
});

it('the characters of a text count towards its bytes', () => {
  const cache = createSeenCache<object>(LIMITS);
  cache.set('x'.repeat(5_000), {}, 0);
  expect(cache.bytes).toBe(0);
  cache.set('x'.repeat(4_000), {}, 0);
  expect(cache.bytes).toBeGreaterThanOrEqual(8_000);
});

it('a value that grows counts with its new size in both segments', () => {
  const cache = createSeenCache<object>(LIMITS);
  const value = {};
  cache.set('text', value, 1_000);
  cache.resize('text', value, 9_000);
  expect(cache.bytes).toBeGreaterThanOrEqual(9_000);
  cache.get('text');
  cache.resize('text', value, 40_000);
  expect(cache.get('text')).toBe(value);
  expect(cache.bytes).toBeGreaterThanOrEqual(40_000);
  cache.resize('text', value, 60_000);
  expect(cache.get('text')).toBeUndefined();
  expect(cache.bytes).toBe(0);
});

it('resizing does not restore a value that was replaced or evicted', () => {
  const cache = createSeenCache<object>(LIMITS);
  const [old, current] = [{ old: true }, { old: false }];
  cache.set('text', old, 1_000);
  cache.set('text', current, 1_000);
  cache.resize('text', old, 2_000);
  expect(cache.get('text')).toBe(current);
  cache.resize('unknown', old, 2_000);
  expect(cache.get('unknown')).toBeUndefined();
});
