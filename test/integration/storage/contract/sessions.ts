// The contract on sessions, but for what refresh tokens do to them.
import { describe, expect, it } from 'vitest';
import {
  after,
  atOnce,
  type Fixture,
  follow,
  IDLE_SECONDS,
  isRevocationOf,
  NOW,
  newSession,
  UNKNOWN_ID,
} from './fixture.ts';

export function describeSessions(name: string, fixture: Fixture): void {
  const { addUser, addSession, live, rotate } = fixture;

  describe(`${name}: sessions`, () => {
    it('are created for an enabled account alone', async () => {
      const { store } = fixture;
      const user = await addUser();
      const session = newSession(user.id, { userAgent: undefined, ipAddress: undefined });
      expect(await store.createSession(session)).toBe(true);
      expect(await live(user.id)).toEqual([session]);
      expect(await store.createSession(newSession(UNKNOWN_ID))).toBe(false);
      await store.disableUser(user.emailKey, NOW, IDLE_SECONDS);
      expect(await store.createSession(newSession(user.id))).toBe(false);
      expect(await live(user.id)).toEqual([]);
    });

    it('are listed while live, the most recently used first', async () => {
      const { id: userId } = await addUser();
      const older = await addSession({ userId, lastUsedAt: after(-2) });
      const newer = await addSession({ userId, lastUsedAt: after(-1) });
      await addSession({ userId, revokedAt: NOW });
      await addSession({ userId, expiresAt: NOW });
      await addSession({ userId, lastUsedAt: after(-IDLE_SECONDS) });
      await addSession();
      expect(await live(userId)).toEqual([newer, older]);
    });

    it('are limited to a hundred live ones: a sign-in revokes the least recently used', async () => {
      const { store, other } = fixture;
      const { id: userId } = await addUser();
      const sessions = Array.from({ length: 100 }, (_, i) =>
        newSession(userId, { lastUsedAt: after(-50 + ((i * 37) % 50)), createdAt: after(-60) }),
      );
      await atOnce(100, [store], (_, i) => store.createSession(sessions[i] ?? newSession(userId)));
      expect(await live(userId)).toHaveLength(100);
      const told = await follow(other, after(-1));
      const oldest = sessions.toSorted((one, two) => one.lastUsedAt.getTime() - two.lastUsedAt.getTime())[0];
      await addSession(); // another account's, which takes no room here
      const newest = await addSession({ userId });

      const left = await live(userId);
      expect(left).toHaveLength(100);
      expect(left[0]).toEqual(newest);
      const [gone, ...others] = sessions.filter(({ id }) => !left.some((session) => session.id === id));
      expect(others).toEqual([]);
      expect(gone?.lastUsedAt).toEqual(oldest?.lastUsedAt);
      expect((await store.findSessionStatus(gone?.id ?? ''))?.revokedAt).toEqual(NOW);
      await told.heard(isRevocationOf(gone?.id ?? ''));
    });

    it('are never more than a hundred live ones, however many sign-ins come at the same time', async () => {
      const { store, other } = fixture;
      const { id: userId } = await addUser();
      await atOnce(95, [store, other], (one) => one.createSession(newSession(userId)));
      const added = Array.from({ length: 30 }, (_, i) =>
        newSession(userId, { createdAt: after(1 + i), lastUsedAt: after(1 + i) }),
      );
      const counts: number[] = [];
      await atOnce(30, [store, other], async (one, i) => {
        await one.createSession(added[i] ?? newSession(userId));
        counts.push((await one.listLiveSessions(userId, after(1), IDLE_SECONDS)).length);
      });
      expect(Math.max(...counts)).toBe(100);
      const left = new Set((await live(userId, after(40))).map(({ id }) => id));
      expect(left.size).toBe(100);
      expect(added.filter(({ id }) => !left.has(id))).toEqual([]);
    });

    it('make room of an idle one first, and of none that has ended', async () => {
      const { id: userId } = await addUser();
      const idle = await addSession({ userId, lastUsedAt: after(-IDLE_SECONDS - 1) });
      await addSession({ userId, revokedAt: after(-1) });
      await addSession({ userId, expiresAt: after(-1) });
      const used = Array.from({ length: 99 }, () => newSession(userId));
      for (const session of used) await fixture.store.createSession(session);
      expect((await fixture.store.findSessionStatus(idle.id))?.revokedAt).toBeUndefined();
      await addSession({ userId });
      expect((await fixture.store.findSessionStatus(idle.id))?.revokedAt).toEqual(NOW);
      expect(await live(userId)).toHaveLength(100);
    });

    it('are kept up to a hundred once they have ended, those that ended last', async () => {
      const { store } = fixture;
      const { id: userId } = await addUser();
      const ended = Array.from({ length: 105 }, (_, i) =>
        newSession(userId, i % 2 === 0 ? { revokedAt: after(-200 + i) } : { expiresAt: after(-200 + i) }),
      );
      for (const session of ended) await store.createSession(session);
      const newest = await addSession({ userId });
      const standings = await Promise.all(ended.map(({ id }) => store.findSessionStatus(id)));
      expect(standings.map((standing) => standing !== undefined)).toEqual(ended.map((_, i) => i >= 5));
      expect(await live(userId)).toEqual([newest]);
    });

    it('are listed up to a hundred', async () => {
      const { id: userId } = await addUser();
      await atOnce(101, [fixture.store, fixture.other], (store) => store.createSession(newSession(userId)));
      expect(await live(userId)).toHaveLength(100);
    });

    it('end once, by their owner or by whoever needs no owner', async () => {
      const mine = await addSession();
      const end = (sessionId: string, userId?: string) =>
        fixture.store.revokeSession(
          userId === undefined ? { sessionId } : { sessionId, userId },
          NOW,
          IDLE_SECONDS,
        );
      expect(await end(mine.id, (await addUser()).id)).toBe(false);
      expect(await live(mine.userId)).toHaveLength(1);
      expect(await end(mine.id, mine.userId)).toBe(true);
      expect(await end(mine.id, mine.userId)).toBe(false);
      expect(await live(mine.userId)).toEqual([]);
      expect(await end((await addSession()).id)).toBe(true);
    });

    it.each([UNKNOWN_ID, '', 'a\0b', '\ud800', '’; drop table sessions'])(
      'are not there under an unknown id: %j',
      async (unknown) => {
        const { store } = fixture;
        const { id: userId } = await addUser();
        expect(await store.revokeSession({ sessionId: unknown }, NOW, IDLE_SECONDS)).toBe(false);
        expect(await store.revokeSession({ sessionId: unknown, userId }, NOW, IDLE_SECONDS)).toBe(false);
        expect(await store.findSessionStatus(unknown)).toBeUndefined();
        expect(await rotate(unknown, 1)).toEqual({ outcome: 'UNKNOWN' });
      },
    );

    it('of an unknown user are none', async () => {
      expect(await live('a\0b')).toEqual([]);
      expect(await fixture.store.revokeAllSessions('a\0b', NOW, IDLE_SECONDS)).toBe(0);
    });

    it.each([
      ['one that has expired', { expiresAt: NOW }],
      ['one that lay idle', { lastUsedAt: after(-IDLE_SECONDS) }],
    ])('do not end twice: %s', async (_, changes) => {
      const { id, userId } = await addSession(changes);
      expect(await fixture.store.revokeSession({ sessionId: id }, NOW, IDLE_SECONDS)).toBe(false);
      expect(await fixture.store.revokeAllSessions(userId, NOW, IDLE_SECONDS)).toBe(0);
    });

    it('end all at once, counted', async () => {
      const { store } = fixture;
      const { id: userId } = await addUser();
      await addSession({ userId });
      await addSession({ userId });
      await addSession({ userId, revokedAt: NOW });
      const other = await addSession();
      expect(await store.revokeAllSessions(userId, NOW, IDLE_SECONDS)).toBe(2);
      expect(await store.revokeAllSessions(userId, NOW, IDLE_SECONDS)).toBe(0);
      expect(await live(userId)).toEqual([]);
      expect(await live(other.userId)).toEqual([other]);
    });

    it('end for exactly one of those who end them at once, in whatever way', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id: userId, emailKey } = await addUser();
        const sessions = await atOnce(20, [fixture.store], () => addSession({ userId }));
        const ways = [
          ({ id }: { id: string }) => ({ sessionId: id }),
          ({ id }: { id: string }) => ({ sessionId: id, userId }),
        ];
        const counts = await atOnce(60, [fixture.store, fixture.other], async (store, i) => {
          const [session, way] = [sessions[(i * 7) % 20], ways[i % 2]];
          if (i % 10 === 3) return store.revokeAllSessions(userId, NOW, IDLE_SECONDS);
          if (i === 59) return (await store.disableUser(emailKey, NOW, IDLE_SECONDS))?.revokedSessions ?? 0;
          return session && way && (await store.revokeSession(way(session), NOW, IDLE_SECONDS)) ? 1 : 0;
        });
        expect(counts.reduce((sum, count) => sum + count)).toBe(20);
        expect(await live(userId)).toEqual([]);
      }
    });
  });

  describe(`${name}: the standing of a session`, () => {
    it('is not revoked, with the roles that its user has now', async () => {
      const user = await addUser({ roles: ['editor'] });
      const { id } = await addSession({ userId: user.id });
      const { store, other } = fixture;
      expect(await store.findSessionStatus(id)).toEqual({ revokedAt: undefined, roles: ['editor'] });
      await store.changeRoles(user.emailKey, { add: ['admin'] }, NOW);
      const standing = { revokedAt: undefined, roles: ['editor', 'admin'] };
      expect(await other.findSessionStatus(id)).toEqual(standing);
    });

    it.each<[string, (id: string, user: { id: string; emailKey: string }) => Promise<unknown>]>([
      ['by itself', (sessionId) => fixture.store.revokeSession({ sessionId }, after(1), IDLE_SECONDS)],
      ['with all others', (_, { id }) => fixture.store.revokeAllSessions(id, after(1), IDLE_SECONDS)],
      ['with its account', (_, { emailKey }) => fixture.store.disableUser(emailKey, after(1), IDLE_SECONDS)],
    ])('is revoked since it was ended %s, for every instance', async (_, end) => {
      const user = await addUser();
      const { id } = await addSession({ userId: user.id });
      await end(id, user);
      const standing = { revokedAt: after(1), roles: user.roles };
      expect(await fixture.store.findSessionStatus(id)).toEqual(standing);
      expect(await fixture.other.findSessionStatus(id)).toEqual(standing);
    });
  });
}
