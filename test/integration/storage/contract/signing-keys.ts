// Contract: signing keys. Each test has its own database, since keys belong to the whole database.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SigningKeyRow, Store } from '../../../../src/storage/store.ts';
import { after, type Fixture, isKeysChanged, NOW, newKey, runConcurrently, subscribeTo } from './fixture.ts';

export function describeSigningKeys(name: string, { withEmpty }: Fixture): void {
  /** @returns the only key with the status; undefined if there is none */
  async function findKey(status: SigningKeyRow['status'], store: Store): Promise<SigningKeyRow | undefined> {
    const keys = (await store.listSigningKeys()).filter((key) => key.status === status);
    expect(keys.length).toBeLessThanOrEqual(1);
    return keys[0];
  }
  const kidsOf = (keys: readonly (SigningKeyRow | undefined)[]) => keys.map((key) => key?.kid);

  describe(`${name}: adding signing keys`, () => {
    it('adds keys for missing statuses, and lists them, the oldest first', () =>
      withEmpty(async (store, other) => {
        const next = { ...newKey('next'), createdAt: after(-1) };
        const current = newKey('current');
        await store.addSigningKeys([current], NOW);
        expect(await other.listSigningKeys()).toEqual([current]);
        await other.addSigningKeys([newKey('current'), next], NOW);
        expect(await store.listSigningKeys()).toEqual([next, current]);
        await store.addSigningKeys([newKey('current'), newKey('next')], NOW);
        expect(await store.listSigningKeys()).toEqual([next, current]);
      }));

    it('retires a current key of another algorithm, and deletes such a next key', () =>
      withEmpty(async (store) => {
        const old = [newKey('current'), newKey('next')] as const;
        const [current, next] = [newKey('current', 'ES256'), newKey('next', 'ES256')];
        await store.addSigningKeys(old, NOW);
        await store.addSigningKeys([current, next], after(1));
        const keys = await store.listSigningKeys();
        expect(keys).toHaveLength(3);
        expect(keys).toContainEqual({ ...old[0], status: 'retired', retiredAt: after(1) });
        expect(keys).toContainEqual(current);
        expect(keys).toContainEqual(next);
      }));

    it('keeps the key of a status for which none is added', () =>
      withEmpty(async (store) => {
        const [current, next] = [newKey('current'), newKey('next')];
        await store.addSigningKeys([current, next], NOW);
        const other = newKey('next', 'ES256');
        await store.addSigningKeys([other], NOW);
        expect(kidsOf([await findKey('current', store), await findKey('next', store)])).toEqual([
          current.kid,
          other.kid,
        ]);
        await store.addSigningKeys([], NOW);
        expect(await store.listSigningKeys()).toHaveLength(2);
      }));

    it('adds the keys of one of several concurrent calls, in any order', () =>
      withEmpty(async (...stores) => {
        const pairs = Array.from({ length: 10 }, () => [newKey('current'), newKey('next')] as const);
        await runConcurrently(10, stores, (store, i) => {
          const pair = pairs[i] ?? [];
          return store.addSigningKeys(i % 4 < 2 ? pair : pair.toReversed(), NOW);
        });
        expect(await stores[0].listSigningKeys()).toHaveLength(2);
        const kids = kidsOf([await findKey('current', stores[0]), await findKey('next', stores[1])]);
        expect(pairs.map((pair) => kidsOf(pair))).toContainEqual(kids);
      }));

    it('keeps both keys of one algorithm if two are added concurrently', () =>
      withEmpty(async (...stores) => {
        const pairs = Array.from({ length: 12 }, (_, i) => {
          const algorithm = i % 4 < 2 ? 'EdDSA' : 'ES256';
          return [newKey('current', algorithm), newKey('next', algorithm)];
        });
        await runConcurrently(12, stores, (store, i) => store.addSigningKeys(pairs[i] ?? [], NOW));
        const [current, next] = [await findKey('current', stores[0]), await findKey('next', stores[0])];
        expect(pairs.map((pair) => kidsOf(pair))).toContainEqual(kidsOf([current, next]));
        const keys = await stores[1].listSigningKeys();
        const retired = keys.filter(({ status }) => status === 'retired');
        expect(retired.map(({ retiredAt }) => retiredAt)).toEqual(retired.map(() => NOW));
      }));
  });

  describe(`${name}: rotating signing keys`, () => {
    it('retires the current key, makes the next one current and the replacement next', () =>
      withEmpty(async (store, other) => {
        const [current, next, replacement] = [newKey('current'), newKey('next'), newKey('next')];
        await store.addSigningKeys([current, next], NOW);
        expect(await store.rotateSigningKeys(next.kid, replacement, after(1))).toBe(true);
        const keys = await other.listSigningKeys();
        expect(keys).toHaveLength(3);
        expect(keys).toContainEqual({ ...current, status: 'retired', retiredAt: after(1) });
        expect(keys).toContainEqual({ ...next, status: 'current', currentSince: after(1) });
        expect(keys).toContainEqual(replacement);
      }));

    it('changes nothing if the given key is not the next one', () =>
      withEmpty(async (store) => {
        const [current, next] = [newKey('current'), newKey('next')];
        expect(await store.rotateSigningKeys(next.kid, newKey('next'), NOW)).toBe(false);
        await store.addSigningKeys([current, next], NOW);
        const before = await store.listSigningKeys();
        for (const kid of [current.kid, newKey('next').kid]) {
          expect(await store.rotateSigningKeys(kid, newKey('next'), NOW)).toBe(false);
        }
        expect(await store.listSigningKeys()).toEqual(before);
      }));

    it('rotates once for several concurrent calls', () =>
      withEmpty(async (...stores) => {
        const [store] = stores;
        await store.addSigningKeys([newKey('current'), newKey('next')], NOW);
        for (let round = 1; round <= 5; round += 1) {
          const next = await findKey('next', store);
          const replacements = Array.from({ length: 8 }, () => newKey('next'));
          const results = await runConcurrently(8, stores, (one, i) =>
            one.rotateSigningKeys(next?.kid ?? '', replacements[i] ?? newKey('next'), NOW),
          );
          expect(results.filter((isDone) => isDone)).toHaveLength(1);
          expect((await findKey('current', store))?.kid).toBe(next?.kid);
          expect((await findKey('next', store))?.kid).toBe(replacements[results.indexOf(true)]?.kid);
          expect(await store.listSigningKeys()).toHaveLength(2 + round);
        }
      }));

    it('leaves a current and a next key at any time, whatever runs concurrently', () =>
      withEmpty(async (...stores) => {
        const [store, other] = stores;
        const add = (algorithm: string, on: Store) =>
          on.addSigningKeys([newKey('next', algorithm), newKey('current', algorithm)], NOW);
        await add('EdDSA', store);
        await runConcurrently(40, stores, async (one, i) => {
          if (i % 5 === 0) await add(i % 2 === 0 ? 'EdDSA' : 'ES256', one);
          const next = await findKey('next', one);
          expect(await findKey('current', one)).toBeDefined();
          expect(next).toBeDefined();
          await one.rotateSigningKeys(next?.kid ?? '', newKey('next', next?.algorithm), NOW);
          if (i % 7 === 0) await one.removeRetiredKeys(after(1), NOW);
        });
        expect(await other.listSigningKeys()).toEqual(await store.listSigningKeys());
      }));

    it('moves each key from next to current to retired, in random sequences', () =>
      withEmpty(async (...stores) => {
        await stores[0].addSigningKeys([newKey('current'), newKey('next')], NOW);
        const seen = new Map<string, SigningKeyRow>();
        const rank = (key?: SigningKeyRow) => ['next', 'current', 'retired'].indexOf(key?.status ?? 'next');
        await fc.assert(
          fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 5 }), async (steps) => {
            for (const [i, concurrent] of steps.entries()) {
              const next = await findKey('next', stores[0]);
              const rotated = await runConcurrently(concurrent, stores, (store) =>
                store.rotateSigningKeys(next?.kid ?? '', newKey('next'), after(i)),
              );
              expect(rotated.filter((isDone) => isDone)).toHaveLength(Math.min(concurrent, 1));
            }
            for (const key of await stores[1].listSigningKeys()) {
              expect(rank(key)).toBeGreaterThanOrEqual(rank(seen.get(key.kid)));
              expect(key.currentSince === undefined).toBe(key.status === 'next');
              expect(key.retiredAt === undefined).toBe(key.status !== 'retired');
              seen.set(key.kid, key);
            }
          }),
          { numRuns: 10 },
        );
      }));
  });

  describe(`${name}: revoking signing keys`, () => {
    async function withThree(
      run: (
        keys: Record<SigningKeyRow['status'], SigningKeyRow>,
        store: Store,
        other: Store,
      ) => Promise<void>,
    ) {
      await withEmpty(async (store, other) => {
        const [retired, current, next] = [newKey('current'), newKey('next'), newKey('next')];
        await store.addSigningKeys([retired, current], NOW);
        await store.rotateSigningKeys(current.kid, next, after(1));
        await run({ retired, current, next }, store, other);
      });
    }

    it.each<[SigningKeyRow['status'], (SigningKeyRow['status'] | 'replacement')[]]>([
      ['retired', ['current', 'next']],
      ['current', ['next', 'replacement', 'retired']],
      ['next', ['current', 'replacement', 'retired']],
    ])('deletes the %s key and replaces it', (status, [expectedCurrent, expectedNext, expectedRetired]) =>
      withThree(async (keys, store, elsewhere) => {
        const all = { ...keys, replacement: newKey('next') };
        expect(await store.revokeSigningKey(keys[status].kid, all.replacement, after(2))).toBe(status);
        expect(kidsOf([await findKey('current', elsewhere), await findKey('next', elsewhere)])).toEqual(
          kidsOf([expectedCurrent && all[expectedCurrent], expectedNext && all[expectedNext]]),
        );
        expect((await findKey('retired', elsewhere))?.kid).toBe(expectedRetired && all[expectedRetired].kid);
        if (status === 'current') {
          expect((await findKey('current', elsewhere))?.currentSince).toEqual(after(2));
        }
      }),
    );

    it('changes nothing for an unknown key', () =>
      withThree(async (_, store) => {
        const before = await store.listSigningKeys();
        expect(await store.revokeSigningKey('a\0b', newKey('next'), NOW)).toBeUndefined();
        expect(await store.listSigningKeys()).toEqual(before);
      }));

    it('deletes a key once, with one replacement, for concurrent calls', () =>
      withThree(async ({ current, next }, ...stores) => {
        const replacements = Array.from({ length: 10 }, () => newKey('next'));
        const statuses = await runConcurrently(10, stores, (store, i) =>
          store.revokeSigningKey(current.kid, replacements[i], NOW),
        );
        expect(statuses.filter((status) => status === 'current')).toHaveLength(1);
        expect((await findKey('current', stores[0]))?.kid).toBe(next.kid);
        expect((await findKey('next', stores[0]))?.kid).toBe(replacements[statuses.indexOf('current')]?.kid);
      }));

    it('deletes every key, and counts them', () =>
      withThree(async (_, store, other) => {
        expect(await store.revokeAllSigningKeys(NOW)).toBe(3);
        expect(await other.listSigningKeys()).toEqual([]);
        expect(await store.revokeAllSigningKeys(NOW)).toBe(0);
      }));

    it.each<[string, (store: Store, kid: string) => Promise<unknown>]>([
      ['one key was', (store, kid) => store.revokeSigningKey(kid, undefined, NOW)],
      ['all keys were', (store) => store.revokeAllSigningKeys(NOW)],
    ])('publishes to every instance that %s revoked', (_, revoke) =>
      withThree(async ({ next }, store, other) => {
        const [here, elsewhere] = [await subscribeTo(store, after(10)), await subscribeTo(other, after(10))];
        await revoke(store, next.kid);
        await Promise.all([here.waitFor(isKeysChanged), elsewhere.waitFor(isKeysChanged)]);
      }),
    );
  });

  describe(`${name}: removing retired keys`, () => {
    it('removes keys retired before the given time, and counts them', () =>
      withEmpty(async (store, other) => {
        const keys = [newKey('current'), ...Array.from({ length: 4 }, () => newKey('next'))];
        const [first, second] = keys;
        await store.addSigningKeys(first && second ? [first, second] : [], NOW);
        for (let i = 1; i < 4; i += 1) {
          await store.rotateSigningKeys(keys[i]?.kid ?? '', keys[i + 1] ?? newKey('next'), after(i));
        }
        expect(await store.removeRetiredKeys(after(1), NOW)).toBe(0);
        expect(await store.removeRetiredKeys(after(3), NOW)).toBe(2);
        expect(await store.removeRetiredKeys(after(3), NOW)).toBe(0);
        const kept = await other.listSigningKeys();
        expect(kidsOf(kept).toSorted()).toEqual(kidsOf(keys.slice(2)).toSorted());
        expect(await store.removeRetiredKeys(after(1_000), NOW)).toBe(1);
        expect((await other.listSigningKeys()).map(({ status }) => status).toSorted()).toEqual([
          'current',
          'next',
        ]);
      }));

    it('counts each key once if two instances remove them', () =>
      withEmpty(async (...stores) => {
        const [store] = stores;
        await store.addSigningKeys([newKey('current'), newKey('next')], NOW);
        for (let i = 0; i < 5; i += 1) {
          await store.rotateSigningKeys((await findKey('next', store))?.kid ?? '', newKey('next'), NOW);
        }
        const counts = await runConcurrently(6, stores, (one) => one.removeRetiredKeys(after(1), NOW));
        expect(counts.reduce((sum, count) => sum + count)).toBe(5);
      }));
  });
}
