// Contract: the revocation feed, for events of any instance.
import { describe, expect, it, vi } from 'vitest';
import type { FeedEvent, Store } from '../../../../src/storage/store.ts';
import {
  after,
  type Fixture,
  GRACE_SECONDS,
  IDLE_SECONDS,
  isKeysChanged,
  isRevocationOf,
  isRolesChangeOf,
  NOW,
  newKey,
  newSession,
  newUser,
  revokedSessionIds,
  runConcurrently,
  subscribeTo,
} from './fixture.ts';

export function describeFeedEvents(name: string, fixture: Fixture): void {
  const { addUser, addSession, rotate, withEmpty, open } = fixture;

  const revoke = (store: Store, sessionId: string, now = NOW) =>
    store.revokeSession({ sessionId }, now, IDLE_SECONDS);
  const rolesOf = (events: readonly FeedEvent[], userId: string) =>
    events.flatMap((event) =>
      event.kind === 'ROLES_CHANGED' && event.userId === userId ? [event.roles] : [],
    );

  describe(`${name}: subscribing to the feed`, () => {
    it('replays events from the given time on', async () => {
      const since = after(5_000);
      const [old, atOnce, later] = [await addSession(), await addSession(), await addSession()];
      const user = await addUser({ roles: [] });
      await revoke(fixture.store, old.id, after(-1, since));
      await revoke(fixture.store, atOnce.id, since);
      await revoke(fixture.store, later.id, after(1, since));
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'] }, since);
      await fixture.store.changeRoles(user.emailKey, { add: ['admin'] }, after(1, since));
      const { events } = await subscribeTo(await open(), since);
      const kind = 'SESSION_REVOKED';
      expect(events).toContainEqual({ kind, sessionId: atOnce.id, revokedAt: since });
      expect(events).toContainEqual({ kind, sessionId: later.id, revokedAt: after(1, since) });
      expect(revokedSessionIds(events)).not.toContain(old.id);
      // Both events have the current roles.
      expect(rolesOf(events, user.id)).toEqual([
        ['editor', 'admin'],
        ['editor', 'admin'],
      ]);
    });

    it('publishes every kind of revocation before the method resolves', async () => {
      const { store } = fixture;
      const { events } = await subscribeTo(store, after(9_000));
      const user = await addUser();
      const sessions = await runConcurrently(5, [store], () => addSession({ userId: user.id }));
      const [one, reused, ...others] = sessions.map(({ id }) => id);
      const revocations: [() => Promise<unknown>, (string | undefined)[]][] = [
        [() => revoke(store, one ?? ''), [one]],
        [() => rotate(reused ?? '', 1), []],
        [() => rotate(reused ?? '', 1, after(GRACE_SECONDS + 1)), [reused]],
        [() => store.revokeAllSessions(user.id, NOW, IDLE_SECONDS), others],
      ];
      for (const [end, expected] of revocations) {
        const before = new Set(revokedSessionIds(events));
        await end();
        const published = new Set(revokedSessionIds(events)).difference(before);
        expect([...published].toSorted()).toEqual(expected.toSorted());
      }
      const last = await addSession({ userId: user.id });
      await store.disableUser(user.emailKey, after(3), IDLE_SECONDS);
      expect(events).toContainEqual({
        kind: 'SESSION_REVOKED',
        sessionId: last.id,
        revokedAt: after(3),
      });
    });

    it.each([
      ['one after another', [0, 1, 2]],
      ['with a clock that is slow or was set back', [3_600, 0]],
    ])('publishes revocations of another instance: %s', async (_, revokedAfter) => {
      const from = after(100_000);
      const { waitFor } = await subscribeTo(fixture.other, from);
      const { id: userId } = await addUser();
      for (const seconds of revokedAfter) {
        const revokedAt = after(seconds, from);
        const { id } = await addSession({ userId, lastUsedAt: revokedAt, expiresAt: after(1_000_000) });
        await revoke(fixture.store, id, revokedAt);
        expect(await waitFor(isRevocationOf(id))).toEqual({
          kind: 'SESSION_REVOKED',
          sessionId: id,
          revokedAt,
        });
      }
    });

    it('publishes a revocation of another instance within 500 ms on average', async () => {
      const { waitFor } = await subscribeTo(fixture.other, after(9_000));
      const { id: userId } = await addUser();
      const sessions = await runConcurrently(10, [fixture.store], () => addSession({ userId }));
      const startedAt = performance.now();
      for (const { id } of sessions) {
        await revoke(fixture.store, id);
        await waitFor(isRevocationOf(id));
      }
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });

    it('publishes changed roles to every instance, the current roles last', async () => {
      const user = await addUser({ roles: [] });
      const [here, there] = [await subscribeTo(fixture.store, NOW), await subscribeTo(fixture.other, NOW)];
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'] }, after(1));
      for (const { waitFor } of [here, there]) {
        expect(await waitFor(isRolesChangeOf(user.id, ['editor']))).toEqual({
          kind: 'ROLES_CHANGED',
          userId: user.id,
          roles: ['editor'],
          changedAt: after(1),
        });
      }
      await runConcurrently(20, [fixture.store, fixture.other], (store, i) =>
        store.changeRoles(
          user.emailKey,
          i % 3 === 0 ? { remove: ['odd'] } : { add: [`role ${i}`, 'odd'] },
          NOW,
        ),
      );
      const roles = (await fixture.store.findUserById(user.id))?.roles ?? [];
      for (const { events, waitFor } of [here, there]) {
        await waitFor(isRolesChangeOf(user.id, roles));
        expect(rolesOf(events, user.id).at(-1)).toEqual(roles);
      }
    });

    it('publishes no event for roles that did not change', async () => {
      const user = await addUser({ roles: ['editor'] });
      const session = await addSession();
      const { events, waitFor } = await subscribeTo(fixture.other, NOW);
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'], remove: ['admin'] }, NOW);
      await revoke(fixture.store, session.id);
      await waitFor(isRevocationOf(session.id));
      expect(rolesOf(events, user.id)).toEqual([]);
    });

    it('publishes every kind of key change to every instance', () =>
      withEmpty(async (store, other) => {
        const [current, next, later] = [newKey('current'), newKey('next'), newKey('next')];
        const changes: (() => Promise<unknown>)[] = [
          () => store.addSigningKeys([current, next], NOW),
          () => store.rotateSigningKeys(next.kid, later, NOW),
          () => store.addSigningKeys([newKey('current', 'ES256')], NOW),
          () => store.removeRetiredKeys(after(1), NOW),
        ];
        const [here, there] = [await subscribeTo(store, NOW), await subscribeTo(other, NOW)];
        const countOf = ({ events }: typeof here) => events.filter(isKeysChanged).length;
        for (const change of changes) {
          const counts = [countOf(here), countOf(there)];
          await change();
          const isPublished = () => [here, there].every((one, i) => countOf(one) > (counts[i] ?? 0));
          await vi.waitUntil(isPublished, { timeout: 30_000, interval: 5 });
        }
      }));

    it('publishes to every subscriber, whenever it subscribed', async () => {
      const store = await open();
      const sessions = await runConcurrently(3, [store], () => addSession());
      const subscribers = [];
      for (const { id } of sessions) {
        subscribers.push(await subscribeTo(store, after(9_000)));
        await revoke(fixture.other, id);
        for (const { waitFor } of subscribers) await waitFor(isRevocationOf(id));
      }
      const past = await subscribeTo(store, NOW);
      expect(revokedSessionIds(past.events)).toEqual(expect.arrayContaining(sessions.map(({ id }) => id)));
    });

    it('publishes every event that occurs while a subscription begins', async () => {
      const { id: userId } = await addUser();
      const store = await open();
      const sessions = await runConcurrently(30, [fixture.store], () => addSession({ userId }));
      const revoked = runConcurrently(30, [fixture.store, fixture.other], (one, i) =>
        revoke(one, sessions[i]?.id ?? ''),
      );
      const subscribers = await Promise.all([subscribeTo(store, NOW), subscribeTo(store, NOW)]);
      expect(await revoked).not.toContain(false);
      for (const { waitFor } of subscribers) {
        await Promise.all(sessions.map(({ id }) => waitFor(isRevocationOf(id))));
      }
    });

    it('continues after events were removed, and replays them no more', () =>
      withEmpty(async (store, other) => {
        const user = newUser();
        const [removed, kept] = [newSession(user.id), newSession(user.id)];
        await store.createUser(user);
        for (const session of [removed, kept]) await store.createSession(session);
        const { waitFor } = await subscribeTo(other, NOW);
        await revoke(store, removed.id);
        await waitFor(isRevocationOf(removed.id));
        expect(await store.removeFeedEvents(after(1), 10)).toBe(1);
        await revoke(store, kept.id);
        await waitFor(isRevocationOf(kept.id));
        expect(revokedSessionIds((await subscribeTo(other, NOW)).events)).toEqual([kept.id]);
      }));
  });

  describe(`${name}: feedSyncedAt`, () => {
    it('returns a time after the subscription began, and advances', async () => {
      const store = await open();
      expect(store.feedSyncedAt()).toBe(-Infinity);
      const startedAt = performance.now();
      await subscribeTo(store, NOW);
      expect(store.feedSyncedAt()).toBeGreaterThanOrEqual(startedAt);
      for (let round = 0; round < 2; round += 1) {
        const now = performance.now();
        await vi.waitUntil(() => store.feedSyncedAt() > now, { timeout: 30_000, interval: 5 });
        expect(store.feedSyncedAt()).toBeLessThanOrEqual(performance.now());
      }
    });

    it('covers every event that another instance committed before', async () => {
      const { events } = await subscribeTo(fixture.other, NOW);
      for (let round = 0; round < 10; round += 1) {
        const { id } = await addSession();
        await revoke(fixture.store, id);
        const revokedAt = performance.now();
        await vi.waitUntil(() => fixture.other.feedSyncedAt() > revokedAt, { timeout: 30_000, interval: 1 });
        expect(revokedSessionIds(events)).toContain(id);
      }
    });
  });
}
