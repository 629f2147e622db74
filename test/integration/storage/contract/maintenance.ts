// Contract: leases, and removal of ended sessions and old events.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../../../src/sessions/session.ts';
import type { Store } from '../../../../src/storage/store.ts';
import {
  after,
  type Fixture,
  IDLE_SECONDS,
  NOW,
  newSession,
  newUser,
  revokedSessionIds,
  runConcurrently,
  subscribeTo,
} from './fixture.ts';

/** Removes all sessions that ended before `before`, in steps. @returns the result of each step */
async function removeAll(store: Store, before: Date, limit: number) {
  const steps: { removed: number; after: string | undefined }[] = [];
  do {
    const { after } = steps.at(-1) ?? {};
    steps.push(await store.removeEndedSessions({ before, idleSeconds: IDLE_SECONDS, after, limit }));
  } while (steps.at(-1)?.after !== undefined);
  return steps;
}

const removedIn = (steps: readonly { removed: number }[]) =>
  steps.reduce((sum, { removed }) => sum + removed, 0);

export function describeMaintenance(name: string, fixture: Fixture): void {
  const { withEmpty } = fixture;

  describe(`${name}: leases`, () => {
    const newTask = () => `task ${crypto.randomUUID()}`;

    it('a lease has one holder until it expires', async () => {
      const { store, other } = fixture;
      const task = newTask();
      expect(await store.takeLease(task, 'one', NOW, 60)).toBe(true);
      expect(await other.takeLease(task, 'two', NOW, 60)).toBe(false);
      expect(await other.takeLease(task, 'two', after(59.999), 60)).toBe(false);
      expect(await other.takeLease(task, 'two', after(60), 60)).toBe(true);
      expect(await store.takeLease(task, 'one', after(60), 60)).toBe(false);
    });

    it('a holder can renew its lease, for longer or shorter', async () => {
      const { store, other } = fixture;
      const task = newTask();
      expect(await store.takeLease(task, 'one', NOW, 60)).toBe(true);
      expect(await other.takeLease(task, 'one', after(30), 600)).toBe(true);
      expect(await store.takeLease(task, 'two', after(629), 1)).toBe(false);
      expect(await store.takeLease(task, 'one', after(40), 10)).toBe(true);
      expect(await store.takeLease(task, 'two', after(50), 1)).toBe(true);
    });

    it('leases of different tasks are independent', async () => {
      expect(await fixture.store.takeLease(newTask(), 'one', NOW, 60)).toBe(true);
      expect(await fixture.store.takeLease(newTask(), 'two', NOW, 60)).toBe(true);
    });

    it('exactly one of several concurrent holders gets a lease', async () => {
      const stores = [fixture.store, fixture.other];
      for (let round = 0; round < 5; round += 1) {
        const task = newTask();
        const take = (now: Date) =>
          runConcurrently(12, stores, (store, i) => store.takeLease(task, `holder ${i}`, now, 60));
        for (const now of [NOW, after(60), after(200)]) {
          const taken = await take(now);
          expect(taken.filter((isTaken) => isTaken)).toHaveLength(1);
          const holder = `holder ${taken.indexOf(true)}`;
          expect(await fixture.store.takeLease(task, holder, now, 60)).toBe(true);
        }
      }
    });
  });

  describe(`${name}: removing ended sessions`, () => {
    async function addSessions(store: Store, all: readonly Partial<Session>[]): Promise<Session[]> {
      const user = newUser();
      await store.createUser(user);
      const sessions = all.map((changes) => newSession(user.id, changes));
      for (const session of sessions) await store.createSession(session);
      return sessions;
    }
    const isThere = async (store: Store, { id }: Session) =>
      (await store.findSessionStatus(id)) !== undefined;

    it.each([
      ['was revoked', { revokedAt: after(5) }],
      ['was idle for too long', { lastUsedAt: after(5 - IDLE_SECONDS) }],
      ['reached its absolute end', { expiresAt: after(5), lastUsedAt: after(4) }],
    ])('removes a session that %s before the given time', (_, changes) =>
      withEmpty(async (store) => {
        const [session = newSession('')] = await addSessions(store, [changes]);
        expect(await removeAll(store, after(5), 10)).toEqual([{ removed: 0, after: undefined }]);
        expect(await isThere(store, session)).toBe(true);
        expect(await removeAll(store, after(5.001), 10)).toEqual([{ removed: 1, after: undefined }]);
        expect(await isThere(store, session)).toBe(false);
      }),
    );

    it.each([
      [0, 10, []],
      [9, 10, [9]],
      [10, 10, [10, 0]],
      [25, 10, [10, 10, 5]],
      [3, 1, [1, 1, 1, 0]],
    ])('removes %i sessions in steps of %i', (total, limit, removed) =>
      withEmpty(async (store, other) => {
        const revoked = { revokedAt: NOW };
        const sessions = await addSessions(
          store,
          Array.from({ length: total }, () => revoked),
        );
        const ids = sessions.map(({ id }) => id).toSorted();
        const steps = await removeAll(other, after(1), limit);
        expect(steps.map((step) => step.removed)).toEqual(total === 0 ? [0] : removed);
        expect(steps.slice(0, -1).map((step) => step.after)).toEqual(
          steps.slice(0, -1).map((_, i) => ids[(i + 1) * limit - 1]),
        );
        for (const session of sessions) expect(await isThere(store, session)).toBe(false);
      }),
    );

    it('keeps live sessions, and reads at most the limit', () =>
      withEmpty(async (store) => {
        const sessions = await addSessions(
          store,
          Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? { revokedAt: NOW } : {})),
        );
        const steps = await removeAll(store, after(1), 5);
        expect(steps).toHaveLength(3);
        expect(removedIn(steps)).toBe(4);
        for (const session of sessions) {
          expect(await isThere(store, session)).toBe(session.revokedAt === undefined);
        }
      }));

    it('removes all ended sessions and no live one', () =>
      withEmpty(async (store, other) => {
        const seconds = fc.integer({ min: -2 * IDLE_SECONDS, max: 2 * IDLE_SECONDS });
        const history = fc.record({
          lastUsed: seconds,
          expires: seconds,
          revoked: fc.option(seconds, { nil: undefined, freq: 2 }),
        });
        await fc.assert(
          fc.asyncProperty(
            fc.array(history, { minLength: 1, maxLength: 12 }),
            seconds,
            fc.integer({ min: 1, max: 5 }),
            async (histories, beforeSeconds, limit) => {
              const before = after(beforeSeconds);
              const sessions = await addSessions(
                store,
                histories.map(({ lastUsed, expires, revoked }) => ({
                  // Not used after it was revoked or expired.
                  lastUsedAt: after(Math.min(lastUsed, expires, revoked ?? Infinity)),
                  expiresAt: after(expires),
                  revokedAt: revoked === undefined ? undefined : after(revoked),
                })),
              );
              await removeAll(other, before, limit);
              for (const session of sessions) {
                const end = Math.min(
                  session.expiresAt.getTime(),
                  session.revokedAt?.getTime() ?? Infinity,
                  after(IDLE_SECONDS, session.lastUsedAt).getTime(),
                );
                expect(await isThere(store, session)).toBe(end >= before.getTime());
              }
            },
          ),
          { numRuns: 20 },
        );
      }));

    it('removes each session once if several instances do so', () =>
      withEmpty(async (...stores) => {
        const revoked = { revokedAt: NOW };
        await addSessions(
          stores[0],
          Array.from({ length: 30 }, () => revoked),
        );
        const steps = await runConcurrently(6, stores, (store) => removeAll(store, after(1), 4));
        expect(removedIn(steps.flat())).toBe(30);
      }));

    it('keeps a session that is refreshed concurrently, with a longer lifetime', () =>
      withEmpty(async (store, other) => {
        for (let round = 0; round < 10; round += 1) {
          const [session = newSession('')] = await addSessions(store, [{ lastUsedAt: after(-IDLE_SECONDS) }]);
          const [rotation] = await Promise.all([
            store.rotateSession({
              sessionId: session.id,
              generation: 1,
              now: after(1),
              graceSeconds: 0,
              idleSeconds: 10 * IDLE_SECONDS,
            }),
            removeAll(other, after(1), 5),
          ]);
          expect(['ROTATED', 'UNKNOWN']).toContain(rotation.outcome);
          expect(await isThere(store, session)).toBe(rotation.outcome === 'ROTATED');
        }
      }));

    it('causes no deadlock with a concurrent revocation of the same sessions', () =>
      withEmpty(async (...stores) => {
        for (let round = 0; round < 10; round += 1) {
          const [session = newSession('')] = await addSessions(
            stores[0],
            Array.from({ length: 40 }, () => ({ lastUsedAt: after(-IDLE_SECONDS - 1) })),
          );
          const ended = await runConcurrently(6, stores, async (store, i) => {
            if (i % 3 === 0) return store.revokeAllSessions(session.userId, after(1), IDLE_SECONDS);
            await removeAll(store, NOW, 40);
            return 0;
          });
          expect(ended).toEqual(ended.map(() => 0));
          await removeAll(stores[0], NOW, 40);
          expect(await isThere(stores[0], session)).toBe(false);
        }
      }));
  });

  describe(`${name}: removing feed events`, () => {
    /** Revokes one session at each of the times. @returns their ids */
    async function recordRevocations(store: Store, times: readonly Date[]): Promise<string[]> {
      const user = newUser();
      await store.createUser(user);
      const sessions = times.map(() => newSession(user.id));
      for (const [i, { id }] of sessions.entries()) {
        await store.createSession(sessions[i] ?? newSession(user.id));
        await store.revokeSession({ sessionId: id }, times[i] ?? NOW, IDLE_SECONDS);
      }
      return sessions.map(({ id }) => id);
    }

    it('removes events before the given time, the oldest first, up to the limit', () =>
      withEmpty(async (store, other) => {
        const ids = await recordRevocations(store, [after(3), after(1), after(2), after(4)]);
        expect(await store.removeFeedEvents(after(1), 10)).toBe(0);
        expect(await store.removeFeedEvents(after(4), 2)).toBe(2);
        const left = revokedSessionIds((await subscribeTo(other, NOW)).events);
        expect(left.toSorted()).toEqual([ids[0], ids[3]].toSorted());
        expect(await other.removeFeedEvents(after(4), 2)).toBe(1);
        expect(await store.removeFeedEvents(after(4), 2)).toBe(0);
        expect(revokedSessionIds((await subscribeTo(store, NOW)).events)).toEqual([ids[3]]);
      }));

    it('removes each event once if several instances do so', () =>
      withEmpty(async (...stores) => {
        await recordRevocations(
          stores[0],
          Array.from({ length: 20 }, () => NOW),
        );
        const counts = await runConcurrently(6, stores, (store) => store.removeFeedEvents(after(1), 4));
        expect(counts.reduce((sum, count) => sum + count)).toBe(20);
      }));
  });
}
