// Contract: refresh token rotation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rotation } from '../../../../src/storage/store.ts';
import {
  after,
  type Fixture,
  GRACE_SECONDS,
  IDLE_SECONDS,
  NOW,
  newSession,
  runConcurrently,
  storedUser,
  TTL_SECONDS,
} from './fixture.ts';

const step = fc.oneof(
  // Mostly current tokens, or most runs would end early with the first reuse.
  { weight: 6, arbitrary: fc.record({ present: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1) }) },
  { weight: 1, arbitrary: fc.record({ presentAtOnce: fc.integer({ min: 2, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ advance: fc.constantFrom(1, 9, 10, 11, 99, 100) }) },
  { weight: 2, arbitrary: fc.record({ use: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ revoke: fc.constant(true) }) },
);

/** Seconds after the first use of its successor in which a token is still repeated. */
const CONCURRENT_SECONDS = 3;

/** @returns how often each outcome occurs */
function count(results: readonly Rotation[]): Record<string, number> {
  const outcomes = Object.groupBy(results, ({ outcome }) => outcome);
  return Object.fromEntries(Object.entries(outcomes).map(([outcome, list]) => [outcome, list.length]));
}

export function describeRotation(name: string, fixture: Fixture): void {
  const { addUser, addSession, live, rotate } = fixture;

  describe(`${name}: rotation`, () => {
    it('returns the session and its user in their new state', async () => {
      const user = await addUser();
      const session = await addSession({ userId: user.id });
      const rotated = { ...session, generation: 2, lastUsedAt: after(5) };
      const result = { session: rotated, user: storedUser(user) };
      expect(await rotate(session.id, 1, after(5))).toEqual({ outcome: 'ROTATED', ...result });
      expect(await rotate(session.id, 1, after(6), fixture.other)).toEqual({
        outcome: 'REPEATED',
        ...result,
      });
      expect(await live(user.id)).toEqual([rotated]);
    });

    it.each([2, 999_999_999_999_999])(
      'returns UNKNOWN for generation %i, which was not issued yet',
      async (unknown) => {
        const { id, userId } = await addSession();
        expect(await rotate(id, unknown)).toEqual({ outcome: 'UNKNOWN' });
        expect(await live(userId)).toHaveLength(1);
      },
    );

    it.each([
      ['on one instance', () => [fixture.store]],
      ['on two instances', () => [fixture.store, fixture.other]],
    ])('rotates once for 50 concurrent requests with one token, %s', async (_, stores) => {
      const { id } = await addSession();
      const results = await runConcurrently(50, stores(), (store) => rotate(id, 1, NOW, store));
      expect(count(results)).toEqual({ ROTATED: 1, REPEATED: 49 });
      const generations = results.map((result) => 'session' in result && result.session.generation);
      expect(new Set(generations)).toEqual(new Set([2]));
    });

    it('revokes the session once for concurrent requests with an old token', async () => {
      const { id, userId } = await addSession({ generation: 3 });
      const results = await runConcurrently(10, [fixture.store, fixture.other], (store) =>
        rotate(id, 1, NOW, store),
      );
      expect(count(results)).toEqual({ REUSED: 1, REVOKED: 9 });
      expect(await live(userId)).toEqual([]);
    });

    it('revokes the session if a token is reused after its successor was used', async () => {
      const { id, userId } = await addSession();
      await rotate(id, 1, after(1));
      expect((await rotate(id, 1, after(2))).outcome).toBe('REPEATED');
      const copy = await rotate(id, 1, after(6), fixture.other, after(2));
      expect(copy).toEqual({ outcome: 'REUSED' });
      expect(await live(userId, after(6))).toEqual([]);
      expect((await fixture.store.findSessionStatus(id))?.revokedAt).toEqual(after(6));
    });

    it('never revives a session that another instance revokes concurrently', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { id, userId } = await addSession();
        const [result, wasLive] = await Promise.all([
          rotate(id, 1, after(1)),
          fixture.other.revokeSession({ sessionId: id }, after(2), IDLE_SECONDS),
        ]);
        expect(wasLive).toBe(true);
        expect(['ROTATED', 'REVOKED']).toContain(result.outcome);
        expect(await live(userId, after(3))).toEqual([]);
        expect(await rotate(id, 2, after(3))).toEqual({ outcome: 'REVOKED' });
      }
    });

    it('holds for random sequences: one live generation, reuse revokes for good', async () => {
      const { id: userId } = await addUser();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const stores = [fixture.store, fixture.other];
          const { id } = newSession(userId);
          await addSession({ id, userId });
          let now = NOW;
          let newest = 1;
          let usedAt = NOW;
          let ended: boolean = false;
          /** When an access token of the current generation was first used. */
          let newestUsedAt: Date | undefined;
          const expired = () => now >= after(TTL_SECONDS) || now >= after(IDLE_SECONDS, usedAt);

          /** @returns the outcome that the contract requires, computed independently */
          function expectedOf(generation: number) {
            if (ended) return 'REVOKED';
            if (expired()) return 'EXPIRED';
            if (generation > newest) return 'UNKNOWN';
            if (generation === newest) return 'ROTATED';
            const isInGrace = now <= after(GRACE_SECONDS, usedAt);
            const isUsed = newestUsedAt !== undefined && now > after(CONCURRENT_SECONDS, newestUsedAt);
            return generation === newest - 1 && isInGrace && !isUsed ? 'REPEATED' : 'REUSED';
          }
          function apply(outcome: string) {
            if (outcome === 'REUSED') ended = true;
            if (outcome === 'ROTATED') [newest, usedAt, newestUsedAt] = [newest + 1, now, undefined];
          }

          for (const [i, action] of steps.entries()) {
            const store = stores[i % 2];
            if ('advance' in action) now = after(action.advance, now);
            if ('use' in action) newestUsedAt ??= now;
            if ('revoke' in action) {
              const wasLive: boolean = !ended && !expired();
              expect(await store?.revokeSession({ sessionId: id }, now, IDLE_SECONDS)).toBe(wasLive);
              ended = true; // also if it had expired
            }
            if ('present' in action) {
              const generation = Math.max(1, newest - action.present);
              const expected = expectedOf(generation);
              const successorUsedAt = generation === newest - 1 ? newestUsedAt : undefined;
              const result = await rotate(id, generation, now, store, successorUsedAt);
              expect(result.outcome).toBe(expected);
              apply(expected);
              if ('session' in result) expect(result.session.generation).toBe(newest);
            }
            if ('presentAtOnce' in action) {
              const generation = newest;
              const results = await runConcurrently(action.presentAtOnce, stores, (one) =>
                rotate(id, generation, now, one),
              );
              for (const { outcome } of results.toSorted((a) => (a.outcome === 'ROTATED' ? -1 : 1))) {
                expect(outcome).toBe(expectedOf(generation));
                apply(outcome);
              }
            }
            const listed = (await live(userId, now)).filter((session) => session.id === id);
            const generations = listed.map(({ generation }) => generation);
            expect(generations).toEqual(ended || expired() ? [] : [newest]);
          }
          await fixture.store.revokeSession({ sessionId: id }, NOW, IDLE_SECONDS);
        }),
        { numRuns: 60 },
      );
    });
  });
}
