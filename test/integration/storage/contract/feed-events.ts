// The contract on hearing of changes, whichever instance makes them.
import { describe, expect, it, vi } from 'vitest';
import type { FeedEvent, Store } from '../../../../src/storage/store.ts';
import {
  after,
  atOnce,
  type Fixture,
  follow,
  GRACE_SECONDS,
  IDLE_SECONDS,
  isOfKeys,
  isRevocationOf,
  isRolesOf,
  NOW,
  newKey,
  newSession,
  newUser,
  revokedIn,
} from './fixture.ts';

export function describeChanges(name: string, fixture: Fixture): void {
  const { addUser, addSession, rotate, withEmpty, open } = fixture;

  const revoke = (store: Store, sessionId: string, now = NOW) =>
    store.revokeSession({ sessionId }, now, IDLE_SECONDS);
  const rolesOf = (changes: readonly FeedEvent[], userId: string) =>
    changes.flatMap((change) =>
      change.kind === 'ROLES_CHANGED' && change.userId === userId ? [change.roles] : [],
    );

  describe(`${name}: following changes`, () => {
    it('tells of the past first, from the given instant on', async () => {
      const since = after(5_000);
      const [old, atOnce, later] = [await addSession(), await addSession(), await addSession()];
      const user = await addUser({ roles: [] });
      await revoke(fixture.store, old.id, after(-1, since));
      await revoke(fixture.store, atOnce.id, since);
      await revoke(fixture.store, later.id, after(1, since));
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'] }, since);
      await fixture.store.changeRoles(user.emailKey, { add: ['admin'] }, after(1, since));
      const { changes } = await follow(await open(), since);
      const kind = 'SESSION_REVOKED';
      expect(changes).toContainEqual({ kind, sessionId: atOnce.id, revokedAt: since });
      expect(changes).toContainEqual({ kind, sessionId: later.id, revokedAt: after(1, since) });
      expect(revokedIn(changes)).not.toContain(old.id);
      // Both times those that the user has now.
      expect(rolesOf(changes, user.id)).toEqual([
        ['editor', 'admin'],
        ['editor', 'admin'],
      ]);
    });

    it('tells of every way to end a session before the verb resolves', async () => {
      const { store } = fixture;
      const { changes } = await follow(store, after(9_000));
      const user = await addUser();
      const sessions = await atOnce(5, [store], () => addSession({ userId: user.id }));
      const [one, reused, ...others] = sessions.map(({ id }) => id);
      const endings: [() => Promise<unknown>, (string | undefined)[]][] = [
        [() => revoke(store, one ?? ''), [one]],
        [() => rotate(reused ?? '', 1), []],
        [() => rotate(reused ?? '', 1, after(GRACE_SECONDS + 1)), [reused]],
        [() => store.revokeAllSessions(user.id, NOW, IDLE_SECONDS), others],
      ];
      for (const [end, expected] of endings) {
        const before = new Set(revokedIn(changes));
        await end();
        const told = new Set(revokedIn(changes)).difference(before);
        expect([...told].toSorted()).toEqual(expected.toSorted());
      }
      const last = await addSession({ userId: user.id });
      await store.disableUser(user.emailKey, after(3), IDLE_SECONDS);
      expect(changes).toContainEqual({
        kind: 'SESSION_REVOKED',
        sessionId: last.id,
        revokedAt: after(3),
      });
    });

    it.each([
      ['one after the other', [0, 1, 2]],
      ['though its clock is behind, or was set back', [3_600, 0]],
    ])('tells of what another instance revokes: %s', async (_, revokedAfter) => {
      const from = after(100_000);
      const { heard } = await follow(fixture.other, from);
      const { id: userId } = await addUser();
      for (const seconds of revokedAfter) {
        const revokedAt = after(seconds, from);
        const { id } = await addSession({ userId, lastUsedAt: revokedAt, expiresAt: after(1_000_000) });
        await revoke(fixture.store, id, revokedAt);
        expect(await heard(isRevocationOf(id))).toEqual({
          kind: 'SESSION_REVOKED',
          sessionId: id,
          revokedAt,
        });
      }
    });

    it('tells of each within half a second, on the average of ten', async () => {
      const { heard } = await follow(fixture.other, after(9_000));
      const { id: userId } = await addUser();
      const sessions = await atOnce(10, [fixture.store], () => addSession({ userId }));
      const startedAt = performance.now();
      for (const { id } of sessions) {
        await revoke(fixture.store, id);
        await heard(isRevocationOf(id));
      }
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });

    it('tells of roles here and elsewhere, and last of those that they are now', async () => {
      const user = await addUser({ roles: [] });
      const [here, there] = [await follow(fixture.store, NOW), await follow(fixture.other, NOW)];
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'] }, after(1));
      for (const { heard } of [here, there]) {
        expect(await heard(isRolesOf(user.id, ['editor']))).toEqual({
          kind: 'ROLES_CHANGED',
          userId: user.id,
          roles: ['editor'],
          changedAt: after(1),
        });
      }
      await atOnce(20, [fixture.store, fixture.other], (store, i) =>
        store.changeRoles(
          user.emailKey,
          i % 3 === 0 ? { remove: ['odd'] } : { add: [`role ${i}`, 'odd'] },
          NOW,
        ),
      );
      const roles = (await fixture.store.findUserById(user.id))?.roles ?? [];
      for (const { changes, heard } of [here, there]) {
        await heard(isRolesOf(user.id, roles));
        expect(rolesOf(changes, user.id).at(-1)).toEqual(roles);
      }
    });

    it('does not tell of roles that stay as they are', async () => {
      const user = await addUser({ roles: ['editor'] });
      const session = await addSession();
      const { changes, heard } = await follow(fixture.other, NOW);
      await fixture.store.changeRoles(user.emailKey, { add: ['editor'], remove: ['admin'] }, NOW);
      await revoke(fixture.store, session.id);
      await heard(isRevocationOf(session.id));
      expect(rolesOf(changes, user.id)).toEqual([]);
    });

    it('tells of keys here and elsewhere, however they change', () =>
      withEmpty(async (store, other) => {
        const [current, next, later] = [newKey('current'), newKey('next'), newKey('next')];
        const ways: (() => Promise<unknown>)[] = [
          () => store.addSigningKeys([current, next], NOW),
          () => store.rotateSigningKeys(next.kid, later, NOW),
          () => store.addSigningKeys([newKey('current', 'ES256')], NOW),
          () => store.removeRetiredKeys(after(1), NOW),
        ];
        const [here, there] = [await follow(store, NOW), await follow(other, NOW)];
        const countOf = ({ changes }: typeof here) => changes.filter(isOfKeys).length;
        for (const change of ways) {
          const counts = [countOf(here), countOf(there)];
          await change();
          const isTold = () => [here, there].every((told, i) => countOf(told) > (counts[i] ?? 0));
          await vi.waitUntil(isTold, { timeout: 30_000, interval: 5 });
        }
      }));

    it('tells everyone who follows, whenever they began', async () => {
      const store = await open();
      const sessions = await atOnce(3, [store], () => addSession());
      const everyone = [];
      for (const { id } of sessions) {
        everyone.push(await follow(store, after(9_000)));
        await revoke(fixture.other, id);
        for (const { heard } of everyone) await heard(isRevocationOf(id));
      }
      const past = await follow(store, NOW);
      expect(revokedIn(past.changes)).toEqual(expect.arrayContaining(sessions.map(({ id }) => id)));
    });

    it('misses nothing that happens while the following begins', async () => {
      const { id: userId } = await addUser();
      const store = await open();
      const sessions = await atOnce(30, [fixture.store], () => addSession({ userId }));
      const revoked = atOnce(30, [fixture.store, fixture.other], (one, i) =>
        revoke(one, sessions[i]?.id ?? ''),
      );
      const everyone = await Promise.all([follow(store, NOW), follow(store, NOW)]);
      expect(await revoked).not.toContain(false);
      for (const { heard } of everyone) {
        await Promise.all(sessions.map(({ id }) => heard(isRevocationOf(id))));
      }
    });

    it('goes on when changes have been removed, and tells of those no more', () =>
      withEmpty(async (store, other) => {
        const user = newUser();
        const [removed, kept] = [newSession(user.id), newSession(user.id)];
        await store.createUser(user);
        for (const session of [removed, kept]) await store.createSession(session);
        const { heard } = await follow(other, NOW);
        await revoke(store, removed.id);
        await heard(isRevocationOf(removed.id));
        expect(await store.removeFeedEvents(after(1), 10)).toBe(1);
        await revoke(store, kept.id);
        await heard(isRevocationOf(kept.id));
        expect(revokedIn((await follow(other, NOW)).changes)).toEqual([kept.id]);
      }));
  });

  describe(`${name}: up to when every change has been told`, () => {
    it('is never before the following began, and moves on while it lasts', async () => {
      const store = await open();
      expect(store.feedSyncedAt()).toBe(-Infinity);
      const startedAt = performance.now();
      await follow(store, NOW);
      expect(store.feedSyncedAt()).toBeGreaterThanOrEqual(startedAt);
      for (let round = 0; round < 2; round += 1) {
        const now = performance.now();
        await vi.waitUntil(() => store.feedSyncedAt() > now, { timeout: 30_000, interval: 5 });
        expect(store.feedSyncedAt()).toBeLessThanOrEqual(performance.now());
      }
    });

    it('leaves out nothing that another instance did before', async () => {
      const { changes } = await follow(fixture.other, NOW);
      for (let round = 0; round < 10; round += 1) {
        const { id } = await addSession();
        await revoke(fixture.store, id);
        const revokedAt = performance.now();
        await vi.waitUntil(() => fixture.other.feedSyncedAt() > revokedAt, { timeout: 30_000, interval: 1 });
        expect(revokedIn(changes)).toContain(id);
      }
    });
  });
}
