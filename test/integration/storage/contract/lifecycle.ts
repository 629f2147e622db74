// Contract: opening and closing a store.
import { describe, expect, it } from 'vitest';
import { type Fixture, IDLE_SECONDS, isRevocationOf, NOW, newSession, subscribeTo } from './fixture.ts';

export function describeLifecycle(name: string, fixture: Fixture): void {
  const { open, addUser, addSession, live, rotate } = fixture;

  describe(`${name}: opening and closing`, () => {
    it('resolves a ping while it is open, and rejects it once closed', async () => {
      const other = await open();
      await other.ping();
      await other.close();
      await expect(other.ping()).rejects.toThrow();
    });

    it('closes once, however often close is called', async () => {
      const other = await open();
      expect(other.close()).toBe(other.close());
      await other.close();
      await other.close();
    });

    it('completes pending calls before it closes', async () => {
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

    it('publishes no events after it is closed', async () => {
      const other = await open();
      const [before, later] = [await addSession(), await addSession()];
      const { events, waitFor } = await subscribeTo(other, NOW);
      await fixture.store.revokeSession({ sessionId: before.id }, NOW, IDLE_SECONDS);
      await waitFor(isRevocationOf(before.id));
      await other.close();
      const count = events.length;
      const here = await subscribeTo(fixture.store, NOW);
      await fixture.other.revokeSession({ sessionId: later.id }, NOW, IDLE_SECONDS);
      await here.waitFor(isRevocationOf(later.id));
      expect(events).toHaveLength(count);
    });

    it('finds stored records when it is opened again', async () => {
      const session = await addSession();
      const reopened = await open();
      expect(await reopened.listLiveSessions(session.userId, NOW, IDLE_SECONDS)).toEqual([session]);
    });
  });
}
