// Contract: sessions, without refresh tokens.
import { describe, expect, it } from 'vitest';
import {
  after,
  type Fixture,
  IDLE_SECONDS,
  isRevocationOf,
  NOW,
  newSession,
  runConcurrently,
  subscribeTo,
  UNKNOWN_ID,
} from './fixture.ts';

export function describeSessions(name: string, fixture: Fixture): void {
  const { addUser, addSession, live, rotate } = fixture;

  describe(`${name}: sessions`, () => {
    it('creates a session only for an enabled account', async () => {
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

    it('lists live sessions, the most recently used first', async () => {
      const { id: userId } = await addUser();
      const older = await addSession({ userId, lastUsedAt: after(-2) });
      const newer = await addSession({ userId, lastUsedAt: after(-1) });
      await addSession({ userId, revokedAt: NOW });
      await addSession({ userId, expiresAt: NOW });
      await addSession({ userId, lastUsedAt: after(-IDLE_SECONDS) });
      await addSession();
      expect(await live(userId)).toEqual([newer, older]);
    });

    it('revokes the least recently used session at the 101st login', async () => {
      const { store, other } = fixture;
      const { id: userId } = await addUser();
      const sessions = Array.from({ length: 100 }, (_, i) =>
        newSession(userId, { lastUsedAt: after(-50 + ((i * 37) % 50)), createdAt: after(-60) }),
      );
      await runConcurrently(100, [store], (_, i) => store.createSession(sessions[i] ?? newSession(userId)));
      expect(await live(userId)).toHaveLength(100);
      const recorder = await subscribeTo(other, after(-1));
      const oldest = sessions.toSorted((one, two) => one.lastUsedAt.getTime() - two.lastUsedAt.getTime())[0];
      await addSession(); // another account's, which does not count here
      const newest = await addSession({ userId });

      const remaining = await live(userId);
      expect(remaining).toHaveLength(100);
      expect(remaining[0]).toEqual(newest);
      const [evicted, ...others] = sessions.filter(
        ({ id }) => !remaining.some((session) => session.id === id),
      );
      expect(others).toEqual([]);
      expect(evicted?.lastUsedAt).toEqual(oldest?.lastUsedAt);
      expect((await store.findSessionStatus(evicted?.id ?? ''))?.revokedAt).toEqual(NOW);
      await recorder.waitFor(isRevocationOf(evicted?.id ?? ''));
    });

    it('keeps at most 100 live sessions for concurrent logins', async () => {
      const { store, other } = fixture;
      const { id: userId } = await addUser();
      await runConcurrently(95, [store, other], (one) => one.createSession(newSession(userId)));
      const added = Array.from({ length: 30 }, (_, i) =>
        newSession(userId, { createdAt: after(1 + i), lastUsedAt: after(1 + i) }),
      );
      const counts: number[] = [];
      await runConcurrently(30, [store, other], async (one, i) => {
        await one.createSession(added[i] ?? newSession(userId));
        counts.push((await one.listLiveSessions(userId, after(1), IDLE_SECONDS)).length);
      });
      expect(Math.max(...counts)).toBe(100);
      const remaining = new Set((await live(userId, after(40))).map(({ id }) => id));
      expect(remaining.size).toBe(100);
      expect(added.filter(({ id }) => !remaining.has(id))).toEqual([]);
    });

    it('revokes an idle session first, and counts no ended one', async () => {
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

    it('keeps the 100 sessions that ended last', async () => {
      const { store } = fixture;
      const { id: userId } = await addUser();
      const ended = Array.from({ length: 105 }, (_, i) =>
        newSession(userId, i % 2 === 0 ? { revokedAt: after(-200 + i) } : { expiresAt: after(-200 + i) }),
      );
      for (const session of ended) await store.createSession(session);
      const newest = await addSession({ userId });
      const statuses = await Promise.all(ended.map(({ id }) => store.findSessionStatus(id)));
      expect(statuses.map((status) => status !== undefined)).toEqual(ended.map((_, i) => i >= 5));
      expect(await live(userId)).toEqual([newest]);
    });

    it('lists at most 100 sessions', async () => {
      const { id: userId } = await addUser();
      await runConcurrently(101, [fixture.store, fixture.other], (store) =>
        store.createSession(newSession(userId)),
      );
      expect(await live(userId)).toHaveLength(100);
    });

    it('revokes a session once, with or without naming its owner', async () => {
      const mine = await addSession();
      const revoke = (sessionId: string, userId?: string) =>
        fixture.store.revokeSession(
          userId === undefined ? { sessionId } : { sessionId, userId },
          NOW,
          IDLE_SECONDS,
        );
      expect(await revoke(mine.id, (await addUser()).id)).toBe(false);
      expect(await live(mine.userId)).toHaveLength(1);
      expect(await revoke(mine.id, mine.userId)).toBe(true);
      expect(await revoke(mine.id, mine.userId)).toBe(false);
      expect(await live(mine.userId)).toEqual([]);
      expect(await revoke((await addSession()).id)).toBe(true);
    });

    it.each([UNKNOWN_ID, '', 'a\0b', '\ud800', '’; drop table sessions'])(
      'finds no session for an unknown id: %j',
      async (unknown) => {
        const { store } = fixture;
        const { id: userId } = await addUser();
        expect(await store.revokeSession({ sessionId: unknown }, NOW, IDLE_SECONDS)).toBe(false);
        expect(await store.revokeSession({ sessionId: unknown, userId }, NOW, IDLE_SECONDS)).toBe(false);
        expect(await store.findSessionStatus(unknown)).toBeUndefined();
        expect(await rotate(unknown, 1)).toEqual({ outcome: 'UNKNOWN' });
      },
    );

    it('finds and revokes no session of an unknown user', async () => {
      expect(await live('a\0b')).toEqual([]);
      expect(await fixture.store.revokeAllSessions('a\0b', NOW, IDLE_SECONDS)).toBe(0);
    });

    it.each([
      ['expired', { expiresAt: NOW }],
      ['idle', { lastUsedAt: after(-IDLE_SECONDS) }],
    ])('counts no revocation of an %s session', async (_, changes) => {
      const { id, userId } = await addSession(changes);
      expect(await fixture.store.revokeSession({ sessionId: id }, NOW, IDLE_SECONDS)).toBe(false);
      expect(await fixture.store.revokeAllSessions(userId, NOW, IDLE_SECONDS)).toBe(0);
    });

    it('revokes all sessions of a user, and counts the live ones', async () => {
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

    it('counts each session for exactly one of several concurrent revocations', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id: userId, emailKey } = await addUser();
        const sessions = await runConcurrently(20, [fixture.store], () => addSession({ userId }));
        const ways = [
          ({ id }: { id: string }) => ({ sessionId: id }),
          ({ id }: { id: string }) => ({ sessionId: id, userId }),
        ];
        const counts = await runConcurrently(60, [fixture.store, fixture.other], async (store, i) => {
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

  describe(`${name}: session status`, () => {
    it('returns no revocation and the current roles for a live session', async () => {
      const user = await addUser({ roles: ['editor'] });
      const { id } = await addSession({ userId: user.id });
      const { store, other } = fixture;
      expect(await store.findSessionStatus(id)).toEqual({ revokedAt: undefined, roles: ['editor'] });
      await store.changeRoles(user.emailKey, { add: ['admin'] }, NOW);
      const status = { revokedAt: undefined, roles: ['editor', 'admin'] };
      expect(await other.findSessionStatus(id)).toEqual(status);
    });

    it.each<[string, (id: string, user: { id: string; emailKey: string }) => Promise<unknown>]>([
      ['alone', (sessionId) => fixture.store.revokeSession({ sessionId }, after(1), IDLE_SECONDS)],
      ['with all others', (_, { id }) => fixture.store.revokeAllSessions(id, after(1), IDLE_SECONDS)],
      ['with its account', (_, { emailKey }) => fixture.store.disableUser(emailKey, after(1), IDLE_SECONDS)],
    ])('returns the time of revocation on every instance, if revoked %s', async (_, end) => {
      const user = await addUser();
      const { id } = await addSession({ userId: user.id });
      await end(id, user);
      const status = { revokedAt: after(1), roles: user.roles };
      expect(await fixture.store.findSessionStatus(id)).toEqual(status);
      expect(await fixture.other.findSessionStatus(id)).toEqual(status);
    });
  });
}
