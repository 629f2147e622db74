// The contract on opening and closing.
import { describe, expect, it } from 'vitest';
import { type Fixture, follow, IDLE_SECONDS, isRevocationOf, NOW, newSession } from './fixture.ts';

export function describeLifecycle(name: string, fixture: Fixture): void {
  const { open, addUser, addSession, live, rotate } = fixture;

  describe(`${name}: opening and closing`, () => {
    it('answers a ping while open, and rejects when closed', async () => {
      const other = await open();
      await other.ping();
      await other.close();
      await expect(other.ping()).rejects.toThrow();
    });

    it('closes once, however often it is told to', async () => {
      const other = await open();
      expect(other.close()).toBe(other.close());
      await other.close();
      await other.close();
    });

    it('finishes what is under way when it closes', async () => {
      const other = await open();
      const { id: userId } = await addUser();
      const session = await addSession({ userId });
      const calls = Array.from({ length: 40 });
      const created = Promise.all(calls.map(() => other.createSession(newSession(userId))));
      const rotated = rotate(session.id, 1, NOW, other);
      const read = Promise.all(calls.map(() => other.listLiveSessions(userId, NOW, IDLE_SECONDS)));
      await other.close();
      expect(await created).toEqual((await created).map(() => true));
      expect(await rotated).toMatchObject({ outcome: 'ROTATED' });
      expect(await read).toHaveLength(40);
      expect(await live(userId)).toHaveLength(41);
    });

    it('tells nothing of what happens when it is closed', async () => {
      const other = await open();
      const [before, later] = [await addSession(), await addSession()];
      const { changes, heard } = await follow(other, NOW);
      await fixture.store.revokeSession({ sessionId: before.id }, NOW, IDLE_SECONDS);
      await heard(isRevocationOf(before.id));
      await other.close();
      const told = changes.length;
      const here = await follow(fixture.store, NOW);
      await fixture.other.revokeSession({ sessionId: later.id }, NOW, IDLE_SECONDS);
      await here.heard(isRevocationOf(later.id));
      expect(changes).toHaveLength(told);
    });

    it('finds everything again', async () => {
      const session = await addSession();
      const reopened = await open();
      expect(await reopened.listLiveSessions(session.userId, NOW, IDLE_SECONDS)).toEqual([session]);
    });
  });
}
