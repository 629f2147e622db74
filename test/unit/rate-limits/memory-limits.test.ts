// Rate limits in memory: the attempts that they admit, and the memory that they use.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/errors.ts';
import { createClearListener } from '../../../src/rate-limits/apply-clears.ts';
import type { BucketName, RateLimitOptions } from '../../../src/rate-limits/buckets.ts';
import { createMemoryLimits, MAX_ENTRIES } from '../../../src/rate-limits/memory-limits.ts';
import type { Attempt, Spend } from '../../../src/rate-limits/rate-limits.ts';

const START = Date.parse('2026-11-26T12:00:00Z');
const PAIR: Spend = { bucket: 'login.pair', key: 'network', subject: 'account' };
const ACCOUNT: Spend = { bucket: 'login.account', key: '', subject: 'account' };
const NETWORK: Spend = { bucket: 'login.network', key: 'network' };

function create(limits: RateLimitOptions = {}) {
  const clock = { seconds: 0 };
  const counted = createMemoryLimits({ limits, now: () => new Date(START + clock.seconds * 1000) });
  /** @returns seconds to wait; undefined if the attempt is admitted */
  const attempt = async (...spends: Spend[]): Promise<number | undefined> => {
    try {
      await counted.spend(spends);
      return undefined;
    } catch (error) {
      if (error instanceof AuthError && error.reason === 'RATE_LIMITED')
        return error.details.retryAfterSeconds;
      throw error;
    }
  };
  /** @returns the number of admitted attempts */
  const admitted = async (times: number, ...spends: Spend[]) => {
    const waits = await Promise.all(Array.from({ length: times }, () => attempt(...spends)));
    return waits.filter((wait) => wait === undefined).length;
  };
  return { limits: counted, clock, attempt, admitted };
}

describe('a bucket', () => {
  it.each<[BucketName, number, number]>([
    ['login.network', 100, 5],
    ['login.known', 20, 60],
    ['login.pair', 20, 60],
    ['login.account', 100, 3_600],
    ['register.network', 30, 60],
  ])('%s admits %i at once of any number, then one each %i seconds', async (bucket, burst, interval) => {
    const { clock, attempt, admitted } = create();
    const spend = { bucket, key: 'key' };
    expect(await admitted(300, spend)).toBe(burst);
    expect(await attempt(spend)).toBe(interval);
    clock.seconds = interval - 0.001;
    expect(await attempt(spend)).toBe(1);
    clock.seconds = interval;
    expect(await admitted(3, spend)).toBe(1);
    clock.seconds = 4 * interval;
    expect(await admitted(9, spend)).toBe(3);
    clock.seconds = 10 * burst * interval;
    expect(await admitted(300, spend)).toBe(burst);
  });

  it('recovers at the same time however many attempts it rejects', async () => {
    const { clock, attempt, admitted } = create();
    await admitted(20, PAIR);
    for (clock.seconds = 0; clock.seconds < 60; clock.seconds += 1) {
      expect(await attempt(PAIR)).toBe(60 - clock.seconds);
    }
    expect(await attempt(PAIR)).toBeUndefined();
  });

  it('takes its values from the options', async () => {
    const { clock, attempt, admitted } = create({ 'login.pair': { burst: 2, intervalSeconds: 0.5 } });
    expect(await admitted(9, PAIR)).toBe(2);
    expect(await attempt(PAIR)).toBe(1);
    clock.seconds = 0.5;
    expect(await admitted(9, PAIR)).toBe(1);
    expect(await admitted(300, ACCOUNT)).toBe(100);
  });

  it('exists once for each key and account', async () => {
    const { admitted } = create();
    expect(await admitted(30, PAIR)).toBe(20);
    expect(await admitted(30, { ...PAIR, key: 'another' })).toBe(20);
    expect(await admitted(30, { ...PAIR, subject: 'another' })).toBe(20);
    expect(await admitted(30, { ...PAIR, bucket: 'login.known' })).toBe(20);
  });

  it('admits no more after the clock was set back ten seconds', async () => {
    const { clock, admitted } = create();
    expect(await admitted(20, PAIR)).toBe(20);
    clock.seconds = -10;
    expect(await admitted(20, PAIR)).toBe(0);
    clock.seconds = 59;
    expect(await admitted(20, PAIR)).toBe(0);
    clock.seconds = 60;
    expect(await admitted(20, PAIR)).toBe(1);
  });

  it('recovers after an interval once a clock years ahead is corrected', async () => {
    const { clock, attempt, admitted } = create();
    clock.seconds = 1e9;
    expect(await admitted(20, PAIR)).toBe(20);
    clock.seconds = 0;
    expect(await attempt(PAIR)).toBe(60);
  });

  it('admits at most burst plus one per interval in any sequence', async () => {
    const steps = fc.array(
      fc.record({ seconds: fc.oneof(fc.nat(90), fc.integer({ min: -10, max: 0 })), times: fc.nat(12) }),
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { clock, admitted } = create({ 'login.pair': { burst: 5, intervalSeconds: 30 } });
        let elapsed = 0; // by a clock that is never set back
        let total = 0;
        for (const { seconds, times } of all) {
          clock.seconds += seconds;
          elapsed += Math.max(0, seconds);
          total += await admitted(times, PAIR);
          expect(total).toBeLessThanOrEqual(5 + elapsed / 30);
        }
      }),
    );
  });
});

describe('an attempt', () => {
  it('spends all of its buckets or none', async () => {
    const { limits, admitted, attempt } = create();
    expect(await admitted(30, NETWORK, PAIR, ACCOUNT)).toBe(20);
    // The 10 attempts that `login.pair` rejected have spent nothing from the other buckets.
    expect(await admitted(300, ACCOUNT)).toBe(80);
    expect(await admitted(300, NETWORK)).toBe(80);
    const { size } = limits;
    expect(await attempt(NETWORK, { ...PAIR, key: 'another', subject: 'another' })).toBe(5);
    expect(limits.size).toBe(size);
  });

  it('waits for the bucket that is full last', async () => {
    const { admitted, attempt } = create();
    await admitted(100, ACCOUNT);
    await admitted(100, NETWORK);
    expect(await attempt(NETWORK, PAIR, ACCOUNT)).toBe(3_600);
  });

  it('without a bucket is always admitted', async () => {
    expect(await create().admitted(500)).toBe(500);
  });

  it('deletes the account’s spent buckets and refunds the network on success', async () => {
    const { limits, admitted } = create();
    await admitted(10, NETWORK, PAIR, ACCOUNT);
    await admitted(10, { ...PAIR, bucket: 'login.known' });
    const attempt = await limits.spend([NETWORK, PAIR, ACCOUNT]);
    await attempt.succeed();
    expect(await admitted(300, PAIR)).toBe(20);
    expect(await admitted(300, ACCOUNT)).toBe(100);
    expect(await admitted(300, NETWORK)).toBe(90);
    expect(await admitted(300, { ...PAIR, bucket: 'login.known' })).toBe(10);
  });

  it('stays spent on success if it was a registration', async () => {
    const { limits, admitted } = create();
    const spend: Spend = { bucket: 'register.network', key: 'network' };
    await (await limits.spend([spend])).succeed();
    expect(await admitted(50, spend)).toBe(29);
  });

  it.each<[string, (attempt: Attempt) => Promise<void>[]]>([
    ['cancelled', (attempt) => [attempt.cancel()]],
    ['cancelled twice', (attempt) => [attempt.cancel(), attempt.cancel()]],
    ['cancelled, then a success', (attempt) => [attempt.cancel(), attempt.succeed()]],
  ])('refunds everything once it is %s', async (_, settle) => {
    const { limits, admitted } = create();
    await admitted(5, NETWORK, PAIR, ACCOUNT);
    await Promise.all(settle(await limits.spend([NETWORK, PAIR, ACCOUNT])));
    expect(await admitted(300, PAIR)).toBe(15);
    expect(await admitted(300, ACCOUNT)).toBe(95);
    expect(await admitted(300, NETWORK)).toBe(95);
  });

  it('leaves no entry if it is cancelled', async () => {
    const { limits } = create();
    const attempts = await Promise.all(
      Array.from({ length: 5 }, () => limits.spend([NETWORK, PAIR, ACCOUNT])),
    );
    await Promise.all(attempts.map((attempt) => attempt.cancel()));
    expect(limits.size).toBe(0);
  });

  it('spends nothing in check', async () => {
    const { limits, admitted } = create();
    for (let i = 0; i < 200; i += 1) await limits.check([NETWORK]);
    expect(await admitted(200, NETWORK)).toBe(100);
    await expect(limits.check([NETWORK])).rejects.toMatchObject({
      reason: 'RATE_LIMITED',
      details: { retryAfterSeconds: 5 },
    });
  });
});

describe('clearing an account', () => {
  it('deletes all of its buckets, and no others', async () => {
    const { limits, admitted } = create();
    const others: Spend[] = [NETWORK, { ...PAIR, subject: 'another' }, { ...ACCOUNT, subject: 'another' }];
    const own: Spend[] = [PAIR, { ...PAIR, key: 'another' }, ACCOUNT, { ...PAIR, bucket: 'login.known' }];
    for (const spend of [...others, ...own]) await admitted(300, spend);
    await limits.clear('account');
    for (const spend of others) expect(await admitted(1, spend)).toBe(0);
    for (const spend of own) expect(await admitted(20, spend)).toBe(20);
  });

  it('takes effect once per event, even if the feed delivers it again', async () => {
    const { limits, admitted } = create();
    const listen = createClearListener(limits);
    const clear = { kind: 'LIMITS_CLEARED', subject: 'account', clearedAt: new Date(START) } as const;
    await admitted(20, PAIR);
    listen({ kind: 'KEYS_CHANGED' });
    expect(await admitted(20, PAIR)).toBe(0);
    listen(clear);
    expect(await admitted(30, PAIR)).toBe(20);
    listen({ ...clear, clearedAt: new Date(START) });
    expect(await admitted(30, PAIR)).toBe(0);
    // From a command on a machine whose clock is behind.
    listen({ ...clear, clearedAt: new Date(START - 1) });
    expect(await admitted(30, PAIR)).toBe(20);
  });
});

describe('the memory of rate limits', () => {
  const fill = async (limits: ReturnType<typeof create>['limits'], count: number, bucket: BucketName) => {
    for (let i = 0; i < count; i += 1) {
      await limits.spend([{ bucket, key: crypto.randomUUID(), subject: crypto.randomUUID() }]);
    }
  };

  it('holds a limited number of entries', async () => {
    const { limits } = create();
    const buckets: BucketName[] = ['login.pair', 'login.account', 'login.network'];
    for (const bucket of buckets) {
      await fill(limits, MAX_ENTRIES + 1_000, bucket);
    }
    expect(limits.size).toBeLessThanOrEqual(buckets.length * MAX_ENTRIES);
    expect(limits.size).toBeGreaterThan(buckets.length * 0.8 * MAX_ENTRIES);
  });

  it('resets no reached limit when full, and rejects no one else', async () => {
    const { limits, attempt, admitted } = create();
    await admitted(20, PAIR);
    await admitted(100, ACCOUNT);
    await admitted(100, NETWORK);
    for (const bucket of ['login.pair', 'login.account', 'login.network'] as const) {
      await fill(limits, 2 * MAX_ENTRIES, bucket);
    }
    for (const spend of [PAIR, ACCOUNT, NETWORK]) expect(await attempt(spend)).toBeGreaterThan(0);
    const newcomer = { key: 'newcomer', subject: 'newcomer' };
    expect(await admitted(20, { ...PAIR, ...newcomer }, { ...ACCOUNT, ...newcomer })).toBe(20);
  });

  it('evicts full buckets before spent ones', async () => {
    const { limits, clock, admitted } = create();
    await fill(limits, MAX_ENTRIES - 1, 'login.pair');
    await admitted(3, PAIR);
    clock.seconds = 130;
    await fill(limits, 10, 'login.pair');
    expect(limits.size).toBeLessThan(20);
    expect(await admitted(30, PAIR)).toBe(19);
  });
});
