// The contract on the networks that an account is known at, and on clearing its rate limits.
import { describe, expect, it } from 'vitest';
import { after, atOnce, type Fixture, follow, IDLE_SECONDS, NOW, newSession, newUser } from './fixture.ts';

const LONG_AGO = after(-1_000_000);

export function describeKnownNetworks(name: string, fixture: Fixture): void {
  const { addUser, withEmpty } = fixture;

  const signIn = (userId: string, network: string | undefined, createdAt = NOW, store = fixture.store) =>
    store.createSession(newSession(userId, { createdAt }), network);
  const isKnown = async (emailKey: string, network: string | undefined, since = LONG_AGO) =>
    (await fixture.other.findCredentials(emailKey, network, since))?.isKnownNetwork;

  describe(`${name}: networks known to an account`, () => {
    it('are those that a session was created from, of this account alone', async () => {
      const [ada, bob] = [await addUser(), await addUser()];
      expect(await isKnown(ada.emailKey, 'home')).toBe(false);
      await signIn(ada.id, 'home');
      expect(await isKnown(ada.emailKey, 'home')).toBe(true);
      expect(await isKnown(ada.emailKey, 'office')).toBe(false);
      expect(await isKnown(bob.emailKey, 'home')).toBe(false);
    });

    it('are read with the credentials, also of an account that has none, is unknown or disabled', async () => {
      const user = await addUser();
      const { id, email, roles, createdAt, passwordHash, emailKey } = user;
      const shown = { id, email, roles, createdAt, disabledAt: undefined };
      const found = await fixture.store.findCredentials(emailKey, 'home', LONG_AGO);
      expect(found).toEqual({ user: shown, passwordHash, isKnownNetwork: false });
      expect(await fixture.store.findCredentials('unknown@example.com', 'home', LONG_AGO)).toBeUndefined();
      await signIn(id, 'home');
      await fixture.store.disableUser(emailKey, NOW, IDLE_SECONDS);
      expect(await fixture.store.findCredentials(emailKey, 'home', LONG_AGO)).toEqual({
        user: { ...shown, disabledAt: NOW },
        passwordHash,
        isKnownNetwork: true,
      });
    });

    it('do not include one whose address is unknown', async () => {
      const { id, emailKey } = await addUser();
      expect(await signIn(id, undefined)).toBe(true);
      expect(await isKnown(emailKey, undefined)).toBe(false);
    });

    it('are not added when no session is created', async () => {
      const { id, emailKey } = await addUser();
      await fixture.store.disableUser(emailKey, NOW, IDLE_SECONDS);
      expect(await signIn(id, 'home')).toBe(false);
      expect(await isKnown(emailKey, 'home')).toBe(false);
    });

    it('are known from their last use on, whatever the order in which instances write', async () => {
      const { id, emailKey } = await addUser();
      await signIn(id, 'home', after(10));
      await signIn(id, 'home', after(5));
      expect(await isKnown(emailKey, 'home', after(10))).toBe(true);
      expect(await isKnown(emailKey, 'home', after(10.001))).toBe(false);
      await signIn(id, 'home', after(20));
      expect(await isKnown(emailKey, 'home', after(20))).toBe(true);
    });

    it('are the 20 used last', async () => {
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

    it('include the one that signs in, though its clock is behind', async () => {
      const { id, emailKey } = await addUser();
      for (let i = 0; i < 25; i += 1) await signIn(id, `network ${i}`, after(i));
      await signIn(id, 'late', after(-9_000));
      expect(await isKnown(emailKey, 'late')).toBe(true);
    });

    it('are 20 also when many instances sign in at once', async () => {
      const { id, emailKey } = await addUser();
      const names = Array.from({ length: 40 }, (_, i) => `network ${i}`);
      const created = await atOnce(40, [fixture.store, fixture.other], (store, i) =>
        signIn(id, names[i], after(i), store),
      );
      expect(created).not.toContain(false);
      const known = await Promise.all(names.map((network) => isKnown(emailKey, network)));
      expect(known.filter((one) => one)).toHaveLength(20);
    });

    it('are removed when they were last used before the instant, the oldest first and up to the limit', () =>
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

  describe(`${name}: clearing the limits of an account`, () => {
    it('is published to every instance, here too', async () => {
      const [here, there] = [await follow(fixture.store, NOW), await follow(fixture.other, NOW)];
      const subject = crypto.randomUUID();
      await fixture.store.clearLimits(subject, after(1));
      for (const { heard } of [here, there]) {
        const isOurs = (change: object) => 'subject' in change && change.subject === subject;
        expect(await heard(isOurs)).toEqual({ kind: 'LIMITS_CLEARED', subject, clearedAt: after(1) });
      }
    });
  });
}
