// Contract: users.
import { describe, expect, it } from 'vitest';
import {
  after,
  type Fixture,
  IDLE_SECONDS,
  NOW,
  newSession,
  newUser,
  runConcurrently,
  storedUser,
  UNKNOWN_ID,
} from './fixture.ts';

export function describeUsers(name: string, fixture: Fixture): void {
  const { addUser, addSession, live, rotate, withEmpty } = fixture;

  describe(`${name}: users`, () => {
    it('lists no user of an empty database, later all, the oldest first', () =>
      withEmpty(async (store) => {
        expect(await store.hasUsers()).toBe(false);
        expect(await store.listUsers()).toEqual([]);
        const users = [3, 1, 2].map((day) => newUser({ createdAt: after(day) }));
        for (const user of users) await store.createUser(user);
        expect(await store.hasUsers()).toBe(true);
        const listed = await store.listUsers();
        expect(listed.map(({ createdAt }) => createdAt)).toEqual([after(1), after(2), after(3)]);
      }));

    it('finds a user by email key and by id, as created', async () => {
      const user = newUser({
        email: 'Zoë+x@例え.jp',
        emailKey: `zoë+${crypto.randomUUID()}@例え.jp`,
        roles: [],
      });
      const { store, other } = fixture;
      expect(await store.createUser(user)).toEqual(storedUser(user));
      expect(await other.findUserById(user.id)).toEqual(storedUser(user));
      expect(await other.findUserByEmail(user.emailKey)).toEqual({
        user: storedUser(user),
        passwordHash: user.passwordHash,
      });
    });

    it.each([UNKNOWN_ID, '', 'a\0b', '\ud800', '’; drop table users'])(
      'finds no user for an unknown id or email key: %j',
      async (unknown) => {
        expect(await fixture.store.findUserById(unknown)).toBeUndefined();
        expect(await fixture.store.findUserByEmail(unknown)).toBeUndefined();
      },
    );

    it('rejects a taken email key and leaves the first account unchanged', async () => {
      const user = await addUser();
      expect(await fixture.store.createUser(newUser({ emailKey: user.emailKey }))).toBeUndefined();
      expect((await fixture.store.findUserByEmail(user.emailKey))?.user).toEqual(storedUser(user));
    });

    it('creates one user for concurrent registrations with one email', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { emailKey } = newUser();
        const made = await runConcurrently(4, [fixture.store, fixture.other], (store) =>
          store.createUser(newUser({ emailKey })),
        );
        expect(made.filter((user) => user !== undefined)).toHaveLength(1);
      }
    });

    it('replaces a password hash only if it has not changed since it was read', async () => {
      const { store } = fixture;
      const { id, emailKey, passwordHash } = await addUser();
      await store.updatePasswordHash(id, passwordHash, 'second');
      await store.updatePasswordHash(id, passwordHash, 'third');
      await store.updatePasswordHash(UNKNOWN_ID, 'second', 'fourth');
      expect((await store.findUserByEmail(emailKey))?.passwordHash).toBe('second');
    });
  });

  describe(`${name}: setting a password`, () => {
    it('replaces the hash and revokes the sessions of this account only', async () => {
      const { store, other } = fixture;
      const user = await addUser();
      const sessions = [await fixture.addSession({ userId: user.id }), await fixture.addSession()];
      expect(await store.setPasswordHash(user.emailKey, 'new', after(1), IDLE_SECONDS)).toEqual({
        user: storedUser(user),
        revokedSessions: 1,
      });
      expect((await other.findUserByEmail(user.emailKey))?.passwordHash).toBe('new');
      const statuses = await Promise.all(sessions.map(({ id }) => other.findSessionStatus(id)));
      expect(statuses.map((status) => status?.revokedAt)).toEqual([after(1), undefined]);
      expect(await store.setPasswordHash('unknown@example.com', 'new', NOW, IDLE_SECONDS)).toBeUndefined();
    });
  });

  describe(`${name}: roles`, () => {
    it('adds and removes roles in one step, for every instance', async () => {
      const user = await addUser({ roles: ['editor', 'admin'] });
      const changed = { ...storedUser(user), roles: ['editor', 'author'] };
      expect(
        await fixture.store.changeRoles(user.emailKey, { add: ['author'], remove: ['admin'] }, NOW),
      ).toEqual({ user: changed, changed: true });
      expect(await fixture.other.findUserById(user.id)).toEqual(changed);
    });

    it.each([
      ['adding a role that the user has', { add: ['editor'] }],
      ['removing a role that the user lacks', { remove: ['author'] }],
      ['an empty change', {}],
    ])('changes nothing: %s', async (_, change) => {
      const user = await addUser({ roles: ['editor'] });
      expect(await fixture.store.changeRoles(user.emailKey, change, NOW)).toEqual({
        user: storedUser(user),
        changed: false,
      });
    });

    it('adds a role once, and not if the same call removes it', async () => {
      const { emailKey } = await addUser({ roles: [] });
      const change = { add: ['a', 'b', 'a', 'Ünï “quoted” \\ \0'], remove: ['b'] };
      const roles = ['a', 'Ünï “quoted” \\ \0'];
      expect((await fixture.store.changeRoles(emailKey, change, NOW))?.user.roles).toEqual(roles);
      expect((await fixture.other.findUserByEmail(emailKey))?.user.roles).toEqual(roles);
    });

    it.each<[string, readonly string[]]>([
      ['more than 100 roles', Array.from({ length: 101 }, (_, i) => `${i}`)],
      ['500 roles', Array.from({ length: 500 }, (_, i) => `a role with a rather long name ${i}`)],
      ['a role of more than 128 characters', ['é'.repeat(129)]],
      ['more than 4,096 bytes in total', Array.from({ length: 17 }, (_, i) => `${'é'.repeat(125)}${i}`)],
    ])('rejects roles without changing anything: %s', async (_, add) => {
      const user = await addUser({ roles: ['editor'] });
      const invalid = expect.objectContaining({ reason: 'INVALID_VALUE' });
      await expect(fixture.store.changeRoles(user.emailKey, { add }, NOW)).rejects.toEqual(invalid);
      const traded = fixture.store.changeRoles(user.emailKey, { add, remove: ['editor'] }, NOW);
      await expect(traded).rejects.toEqual(invalid);
      expect((await fixture.other.findUserById(user.id))?.roles).toEqual(['editor']);
      const other = newUser({ roles: add });
      await expect(fixture.store.createUser(other)).rejects.toEqual(invalid);
      expect(await fixture.store.findUserByEmail(other.emailKey)).toBeUndefined();
    });

    it('limits the roles of a user for concurrent additions', async () => {
      const { emailKey, id } = await addUser({ roles: [] });
      const roles = Array.from({ length: 110 }, (_, i) => `role ${i}`);
      const results = await Promise.allSettled(
        roles.map((role, i) =>
          (i % 2 ? fixture.store : fixture.other).changeRoles(emailKey, { add: [role] }, NOW),
        ),
      );
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
      expect((await fixture.store.findUserById(id))?.roles).toHaveLength(100);
      await fixture.store.changeRoles(emailKey, { remove: roles.slice(0, 60) }, NOW);
    });

    it('changes no roles of an unknown account', async () => {
      expect(await fixture.store.changeRoles('unknown@example.com', { add: ['admin'] }, NOW)).toBeUndefined();
    });

    it('loses no role if two instances change them concurrently', async () => {
      const { id, emailKey } = await addUser({ roles: ['first', 'last'] });
      const results = await runConcurrently(20, [fixture.store, fixture.other], (store, i) =>
        store.changeRoles(emailKey, i === 7 ? { remove: ['last'] } : { add: [`role ${i}`] }, NOW),
      );
      expect(results.filter((result) => result?.changed)).toHaveLength(20);
      const roles = (await fixture.store.findUserById(id))?.roles ?? [];
      const added = Array.from({ length: 20 }, (_, i) => `role ${i}`).filter((role) => role !== 'role 7');
      expect(roles.toSorted()).toEqual(['first', ...added].toSorted());
    });

    it('reports a change to exactly one of several concurrent calls', async () => {
      const { emailKey } = await addUser({ roles: [] });
      for (const change of [{ add: ['admin'] }, { remove: ['admin'] }, { add: ['admin'] }]) {
        const results = await runConcurrently(8, [fixture.store, fixture.other], (store) =>
          store.changeRoles(emailKey, change, NOW),
        );
        expect(results.filter((result) => result?.changed)).toHaveLength(1);
      }
    });

    it('changes roles correctly during a concurrent refresh', async () => {
      const user = await addUser({ roles: [] });
      const { id } = await addSession({ userId: user.id });
      for (let generation = 1; generation <= 10; generation += 1) {
        const roles = generation % 2 === 1 ? ['admin'] : [];
        const change = generation % 2 === 1 ? { add: ['admin'] } : { remove: ['admin'] };
        const [changed, rotated] = await Promise.all([
          fixture.other.changeRoles(user.emailKey, change, NOW),
          rotate(id, generation),
        ]);
        expect(changed).toMatchObject({ user: { roles }, changed: true });
        expect(rotated).toMatchObject({ outcome: 'ROTATED', session: { generation: generation + 1 } });
        expect(await rotate(id, generation)).toMatchObject({ outcome: 'REPEATED', user: { roles } });
      }
    });
  });

  describe(`${name}: disabling`, () => {
    it('revokes and counts live sessions, and keeps the first time if repeated', async () => {
      const { store } = fixture;
      const user = await addUser();
      const { id } = await addSession({ userId: user.id });
      await addSession({ userId: user.id });
      await addSession({ userId: user.id, revokedAt: NOW });
      const disabled = storedUser(user, after(1));
      expect(await store.disableUser(user.emailKey, after(1), IDLE_SECONDS)).toEqual({
        user: disabled,
        revokedSessions: 2,
      });
      expect(await store.disableUser(user.emailKey, after(2), IDLE_SECONDS)).toEqual({
        user: disabled,
        revokedSessions: 0,
      });
      expect(await store.findUserById(user.id)).toEqual(disabled);
      expect(await live(user.id)).toEqual([]);
      expect(await rotate(id, 1)).toEqual({ outcome: 'REVOKED' });
    });

    it('counts no session that had expired before', async () => {
      const user = await addUser();
      await addSession({ userId: user.id });
      const disabled = await fixture.store.disableUser(user.emailKey, after(IDLE_SECONDS), IDLE_SECONDS);
      expect(disabled?.revokedSessions).toBe(0);
    });

    it('keeps sessions of other accounts, and finds no unknown account', async () => {
      const { userId } = await addSession();
      await fixture.store.disableUser((await addUser()).emailKey, NOW, IDLE_SECONDS);
      expect(await live(userId)).toHaveLength(1);
      expect(await fixture.store.disableUser('unknown@example.com', NOW, IDLE_SECONDS)).toBeUndefined();
    });

    it.each([
      ['on one instance', () => [fixture.store]],
      ['on two instances', () => [fixture.store, fixture.other]],
    ])('leaves no live session after concurrent logins %s', async (_, stores) => {
      for (let round = 0; round < 10; round += 1) {
        const user = await addUser();
        const made = await runConcurrently(16, stores(), async (store, i) => {
          if (i !== round) return store.createSession(newSession(user.id));
          await store.disableUser(user.emailKey, NOW, IDLE_SECONDS);
          return undefined;
        });
        expect(made.filter((result) => result === undefined)).toHaveLength(1);
        expect(await live(user.id)).toEqual([]);
        expect(await fixture.other.createSession(newSession(user.id))).toBe(false);
      }
    });

    it('revokes each session once, at one time, for concurrent calls', async () => {
      const user = await addUser();
      await runConcurrently(10, [fixture.store], () => addSession({ userId: user.id }));
      const results = await runConcurrently(6, [fixture.store, fixture.other], (store, i) =>
        store.disableUser(user.emailKey, after(i), IDLE_SECONDS),
      );
      expect(results.reduce((sum, result) => sum + (result?.revokedSessions ?? 0), 0)).toBe(10);
      expect(new Set(results.map((result) => result?.user.disabledAt?.getTime())).size).toBe(1);
    });
  });
}
