// The contract on what refresh tokens do to their session.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rotation } from '../../../../src/storage/store.ts';
import {
  after,
  atOnce,
  type Fixture,
  GRACE_SECONDS,
  IDLE_SECONDS,
  NOW,
  newSession,
  shown,
  TTL_SECONDS,
} from './fixture.ts';

const step = fc.oneof(
  // Mostly the newest tokens, or every run would end in the first theft.
  { weight: 6, arbitrary: fc.record({ present: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1) }) },
  { weight: 1, arbitrary: fc.record({ presentAtOnce: fc.integer({ min: 2, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ advance: fc.constantFrom(1, 9, 10, 11, 99, 100) }) },
  { weight: 2, arbitrary: fc.record({ use: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ revoke: fc.constant(true) }) },
);

/** How long after the use of its successor a token is still answered. */
const CONCURRENT_SECONDS = 3;

/** How many there are of each outcome. */
function count(answers: readonly Rotation[]): Record<string, number> {
  const outcomes = Object.groupBy(answers, ({ outcome }) => outcome);
  return Object.fromEntries(Object.entries(outcomes).map(([outcome, list]) => [outcome, list.length]));
}

export function describeRotation(name: string, fixture: Fixture): void {
  const { addUser, addSession, live, rotate } = fixture;

  describe(`${name}: rotation`, () => {
    it('gives the session and its user as they are afterwards', async () => {
      const user = await addUser();
      const session = await addSession({ userId: user.id });
      const rotated = { ...session, generation: 2, lastUsedAt: after(5) };
      const answer = { session: rotated, user: shown(user) };
      expect(await rotate(session.id, 1, after(5))).toEqual({ outcome: 'ROTATED', ...answer });
      expect(await rotate(session.id, 1, after(6), fixture.other)).toEqual({
        outcome: 'REPEATED',
        ...answer,
      });
      expect(await live(user.id)).toEqual([rotated]);
    });

    it.each([2, 999_999_999_999_999])('answers UNKNOWN to generation %i, not issued yet', async (unknown) => {
      const { id, userId } = await addSession();
      expect(await rotate(id, unknown)).toEqual({ outcome: 'UNKNOWN' });
      expect(await live(userId)).toHaveLength(1);
    });

    it.each([
      ['in one instance', () => [fixture.store]],
      ['in two', () => [fixture.store, fixture.other]],
    ])('answers 50 at once with one token by one rotation, %s', async (_, stores) => {
      const { id } = await addSession();
      const answers = await atOnce(50, stores(), (store) => rotate(id, 1, NOW, store));
      expect(count(answers)).toEqual({ ROTATED: 1, REPEATED: 49 });
      const generations = answers.map((answer) => 'session' in answer && answer.session.generation);
      expect(new Set(generations)).toEqual(new Set([2]));
    });

    it('ends the session for the first of several at once with an old token', async () => {
      const { id, userId } = await addSession({ generation: 3 });
      const answers = await atOnce(10, [fixture.store, fixture.other], (store) => rotate(id, 1, NOW, store));
      expect(count(answers)).toEqual({ REUSED: 1, REVOKED: 9 });
      expect(await live(userId)).toEqual([]);
    });

    it('ends the session if a token comes again after its successor was used', async () => {
      const { id, userId } = await addSession();
      await rotate(id, 1, after(1));
      expect((await rotate(id, 1, after(2))).outcome).toBe('REPEATED');
      const copy = await rotate(id, 1, after(6), fixture.other, after(2));
      expect(copy).toEqual({ outcome: 'REUSED' });
      expect(await live(userId, after(6))).toEqual([]);
      expect((await fixture.store.findSessionStatus(id))?.revokedAt).toEqual(after(6));
    });

    it('does not revive a session that another instance ends at the same moment', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { id, userId } = await addSession();
        const [answer, wasLive] = await Promise.all([
          rotate(id, 1, after(1)),
          fixture.other.revokeSession({ sessionId: id }, after(2), IDLE_SECONDS),
        ]);
        expect(wasLive).toBe(true);
        expect(['ROTATED', 'REVOKED']).toContain(answer.outcome);
        expect(await live(userId, after(3))).toEqual([]);
        expect(await rotate(id, 2, after(3))).toEqual({ outcome: 'REVOKED' });
      }
    });

    it('keeps one live generation, ends a session on theft, and never revives one', async () => {
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
          /** When an access token of the newest generation was used. */
          let newestUsedAt: Date | undefined;
          const expired = () => now >= after(TTL_SECONDS) || now >= after(IDLE_SECONDS, usedAt);

          /** Says what must become of the token, from the words of the contract alone. */
          function expectedOf(generation: number) {
            if (ended) return 'REVOKED';
            if (expired()) return 'EXPIRED';
            if (generation > newest) return 'UNKNOWN';
            if (generation === newest) return 'ROTATED';
            const lately = now <= after(GRACE_SECONDS, usedAt);
            const isUsed = newestUsedAt !== undefined && now > after(CONCURRENT_SECONDS, newestUsedAt);
            return generation === newest - 1 && lately && !isUsed ? 'REPEATED' : 'REUSED';
          }
          function note(outcome: string) {
            if (outcome === 'REUSED') ended = true;
            if (outcome === 'ROTATED') [newest, usedAt, newestUsedAt] = [newest + 1, now, undefined];
          }

          for (const [i, taken] of steps.entries()) {
            const store = stores[i % 2];
            if ('advance' in taken) now = after(taken.advance, now);
            if ('use' in taken) newestUsedAt ??= now;
            if ('revoke' in taken) {
              const wasLive: boolean = !ended && !expired();
              expect(await store?.revokeSession({ sessionId: id }, now, IDLE_SECONDS)).toBe(wasLive);
              ended = true; // an expired one too, so that a longer lifetime does not bring it back
            }
            if ('present' in taken) {
              const generation = Math.max(1, newest - taken.present);
              const expected = expectedOf(generation);
              const successorUsedAt = generation === newest - 1 ? newestUsedAt : undefined;
              const answer = await rotate(id, generation, now, store, successorUsedAt);
              expect(answer.outcome).toBe(expected);
              note(expected);
              if ('session' in answer) expect(answer.session.generation).toBe(newest);
            }
            if ('presentAtOnce' in taken) {
              const generation = newest;
              const answers = await atOnce(taken.presentAtOnce, stores, (one) =>
                rotate(id, generation, now, one),
              );
              for (const { outcome } of answers.toSorted((a) => (a.outcome === 'ROTATED' ? -1 : 1))) {
                expect(outcome).toBe(expectedOf(generation));
                note(outcome);
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
