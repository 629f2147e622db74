// How long an ended session is remembered: as long as one of its access tokens can still be valid.
import { describe, expect, it } from 'vitest';
import { createRevocationList } from '../../src/tokens/revocations.ts';

const TTL_SECONDS = 600;
const MARGIN_SECONDS = 5;
const START = new Date('2026-01-31T12:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

function createList() {
  const clock = { now: START };
  return { list: createRevocationList(TTL_SECONDS, () => clock.now), clock };
}

describe('the list of ended sessions', () => {
  it('has those that were added, and no others', () => {
    const { list } = createList();
    list.add('ended', START);
    expect(list.has('ended')).toBe(true);
    expect(list.has('other')).toBe(false);
    expect(list.has('')).toBe(false);
    expect(list.size).toBe(1);
  });

  it('counts a session once however often it is told', () => {
    const { list } = createList();
    for (let i = 0; i < 3; i += 1) list.add('ended', START);
    expect(list.size).toBe(1);
  });

  it.each([
    ['a moment after the end', 0.001],
    ['just before its last token expires', TTL_SECONDS - 0.001],
    ['when its last token expires', TTL_SECONDS],
    ['while clocks may still differ', TTL_SECONDS + MARGIN_SECONDS - 0.001],
  ])('still has a session %s', (_, seconds) => {
    const { list, clock } = createList();
    list.add('ended', START);
    clock.now = after(seconds);
    list.add('another', clock.now);
    expect(list.has('ended')).toBe(true);
  });

  it('lets go of sessions whose tokens have all expired when the next one ends', () => {
    const { list, clock } = createList();
    for (let second = 0; second < 100; second += 1) list.add(`${second}`, after(second));
    expect(list.size).toBe(100);
    clock.now = after(TTL_SECONDS + MARGIN_SECONDS + 49);
    list.add('next', clock.now);
    expect(list.size).toBe(51);
    expect(list.has('49')).toBe(false);
    expect(list.has('50')).toBe(true);
  });

  it('does not grow for ever under a steady stream', () => {
    const { list, clock } = createList();
    for (let second = 0; second < 5_000; second += 1) {
      clock.now = after(second);
      list.add(`${second}`, clock.now);
    }
    expect(list.size).toBeLessThanOrEqual(TTL_SECONDS + MARGIN_SECONDS + 1);
  });

  it('keeps a session for its whole time when it is told late and out of order', () => {
    const { list, clock } = createList();
    clock.now = after(20);
    list.add('late', after(20));
    list.add('early', after(10));
    clock.now = after(TTL_SECONDS + MARGIN_SECONDS + 19);
    list.add('next', clock.now);
    expect(list.has('late')).toBe(true);
  });
});
