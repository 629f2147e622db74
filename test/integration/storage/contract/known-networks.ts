// Contract: known networks of an account, and clearing its rate limits.
import { describe, expect, it } from 'vitest';
import {
  after,
  type Fixture,
  IDLE_SECONDS,
  NOW,
  newSession,
  newUser,
  runConcurrently,
  subscribeTo,
} from './fixture.ts';

const LONG_AGO = after(-1_000_000);

export function describeKnownNetworks(name: string, fixture: Fixture): void {
  const { addUser, withEmpty } = fixture;

  const signIn = (userId: string, network: string | undefined, createdAt = NOW, store = fixture.store) =>
    store.createSession(newSession(userId, { createdAt }), network);
  const isKnown = async (emailKey: string, network: string | undefined, since = LONG_AGO) =>
    (await fixture.other.findCredentials(emailKey, network, since))?.isKnownNetwork;

  describe(`${name}: known networks`, () => {
    it('a login makes its network known, for this account only', async () => {
      const [ada, bob] = [await addUser(), await addUser()];
      expect(await isKnown(ada.emailKey, 'home')).toBe(false);
      await signIn(ada.id, 'home');
      expect(await isKnown(ada.emailKey, 'home')).toBe(true);
      expect(await isKnown(ada.emailKey, 'office')).toBe(false);
      expect(await isKnown(bob.emailKey, 'home')).toBe(false);
    });

    it('findCredentials reports them for any account, even a disabled one', async () => {
      const user = await addUser();
      const { id, email, roles, createdAt, passwordHash, emailKey } = user;
      const expectedUser = { id, email, roles, createdAt, disabledAt: undefined };
      const found = await fixture.store.findCredentials(emailKey, 'home', LONG_AGO);
      expect(found).toEqual({ user: expectedUser, passwordHash, isKnownNetwork: false });
      expect(await fixture.store.findCredentials('unknown@example.com', 'home', LONG_AGO)).toBeUndefined();
      await signIn(id, 'home');
      await fixture.store.disableUser(emailKey, NOW, IDLE_SECONDS);
      expect(await fixture.store.findCredentials(emailKey, 'home', LONG_AGO)).toEqual({
        user: { ...expectedUser, disabledAt: NOW },
        passwordHash,
        isKnownNetwork: true,
      });
    });

    it('an unknown address is never a known network', async () => {
      const { id, emailKey } = await addUser();
      expect(await signIn(id, undefined)).toBe(true);
      expect(await isKnown(emailKey, undefined)).toBe(false);
    });

    it('a network is not added if no session is created', async () => {
      const { id, emailKey } = await addUser();
      await fixture.store.disableUser(emailKey, NOW, IDLE_SECONDS);
      expect(await signIn(id, 'home')).toBe(false);
      expect(await isKnown(emailKey, 'home')).toBe(false);
    });

    it('the latest use counts, in whatever order instances write', async () => {
      const { id, emailKey } = await addUser();
      await signIn(id, 'home', after(10));
      await signIn(id, 'home', after(5));
      expect(await isKnown(emailKey, 'home', after(10))).toBe(true);
      expect(await isKnown(emailKey, 'home', after(10.001))).toBe(false);
      await signIn(id, 'home', after(20));
      expect(await isKnown(emailKey, 'home', after(20))).toBe(true);
    });

    it('an account keeps the 20 most recently used networks', async () => {
      const { id, emailKey } = await addUser();
      for (let i = 0; i < 20; i += 1) await signIn(id, `network ${i}`, after(i));
      await signIn(id, 'network 0', after(30));
      await signIn(id, 'one more', after(31));
      const known = await Promise.all(
        Array.from({ length: 20 }, (_, i) => isKnown(emailKey, `network ${i}`)),
      );
      expect(known).toEqual(Array.from({ length: 20 }, (_, i) => i !== 1));
      expect(await isKnown(emailKey, 'one more')).toBe(true);
    });

    it('the network of a login is kept, even if its clock is slow', async () => {
      const { id, emailKey } = await addUser();
      for (let i = 0; i < 25; i += 1) await signIn(id, `network ${i}`, after(i));
      await signIn(id, 'late', after(-9_000));
      expect(await isKnown(emailKey, 'late')).toBe(true);
    });

    it('the limit of 20 holds for concurrent logins on several instances', async () => {
      const { id, emailKey } = await addUser();
      const names = Array.from({ length: 40 }, (_, i) => `network ${i}`);
      const created = await runConcurrently(40, [fixture.store, fixture.other], (store, i) =>
        signIn(id, names[i], after(i), store),
      );
      expect(created).not.toContain(false);
      const known = await Promise.all(names.map((network) => isKnown(emailKey, network)));
      expect(known.filter((one) => one)).toHaveLength(20);
    });

    it('removeKnownNetworks removes the oldest first, up to the limit', () =>
      withEmpty(async (store, other) => {
        const user = newUser();
        await store.createUser(user);
        const networks = ['b', 'a', 'c', 'd'];
        for (const [i, network] of networks.entries()) await signIn(user.id, network, after(i), store);
        const left = async () => {
          const found = networks.map((network) => other.findCredentials(user.emailKey, network, LONG_AGO));
          const known = (await Promise.all(found)).map((one) => one?.isKnownNetwork);
          return networks.filter((_, i) => known[i]).join('');
        };
        expect(await store.removeKnownNetworks(NOW, 10)).toBe(0);
        expect(await store.removeKnownNetworks(after(3), 2)).toBe(2);
        expect(await left()).toBe('cd');
        expect(await other.removeKnownNetworks(after(3), 2)).toBe(1);
        expect(await store.removeKnownNetworks(after(3), 2)).toBe(0);
        expect(await left()).toBe('d');
      }));
  });

  describe(`${name}: clearLimits`, () => {
    it('publishes the event to every instance, this one included', async () => {
      const [here, there] = [await subscribeTo(fixture.store, NOW), await subscribeTo(fixture.other, NOW)];
      const subject = crypto.randomUUID();
      await fixture.store.clearLimits(subject, after(1));
      for (const { waitFor } of [here, there]) {
        const isOurs = (event: object) => 'subject' in event && event.subject === subject;
        expect(await waitFor(isOurs)).toEqual({ kind: 'LIMITS_CLEARED', subject, clearedAt: after(1) });
      }
    });
  });
}
