// What src/stores/store.ts promises, as a suite that every database runs.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewUser, Revocation, Session, SigningKeyRow, Store, User } from '../../src/stores/store.ts';

/** One empty database that several stores can be opened on. */
export interface TestDatabase {
  open(): Promise<Store>;
  /** Called when every store is closed. */
  remove(): Promise<void>;
}

const NOW = new Date('2026-01-31T12:00:00.123Z');
const GRACE_SECONDS = 10;
const IDLE_SECONDS = 100;
const TTL_SECONDS = 1_000;
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

const after = (seconds: number, from = NOW) => new Date(from.getTime() + seconds * 1000);

export function newUser(changes: Partial<NewUser> = {}): NewUser {
  const id = crypto.randomUUID();
  const email = `Ada.${id}@Example.com`;
  return {
    id,
    email,
    emailKey: email.toLowerCase(),
    passwordHash: '$argon2id$hash',
    roles: ['editor', 'admin'],
    createdAt: NOW,
    ...changes,
  };
}

export function newSession(userId: string, changes: Partial<Session> = {}): Session {
  return {
    id: crypto.randomUUID(),
    userId,
    generation: 1,
    createdAt: NOW,
    authenticatedAt: NOW,
    lastUsedAt: NOW,
    expiresAt: after(TTL_SECONDS),
    revokedAt: undefined,
    userAgent: 'A browser “with” quotes',
    ipAddress: '2001:db8::1',
    ...changes,
  };
}

/** What the promise gives; fails the test where that takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Took over ${milliseconds} ms`)), milliseconds);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** Runs the whole contract on the databases that `createDatabase` makes. */
export function describeStore(name: string, createDatabase: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let store: Store;
  const opened: Store[] = [];
  async function open(): Promise<Store> {
    const another = await database.open();
    opened.push(another);
    return another;
  }
  beforeAll(async () => {
    database = await createDatabase();
    store = await open();
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await database.remove();
  });

  async function addUser(changes: Partial<NewUser> = {}): Promise<NewUser> {
    const user = newUser(changes);
    expect(await store.createUser(user)).toBeDefined();
    return user;
  }
  async function addSession(changes: Partial<Session> = {}): Promise<Session> {
    const session = newSession(changes.userId ?? (await addUser()).id, changes);
    expect(await store.createSession(session)).toBe(true);
    return session;
  }
  const rotate = (sessionId: string, generation: number, now = NOW, on = store) =>
    on.rotateSession({
      sessionId,
      generation,
      now,
      graceSeconds: GRACE_SECONDS,
      idleSeconds: IDLE_SECONDS,
    });
  const live = (userId: string, now = NOW) => store.listLiveSessions(userId, now, IDLE_SECONDS);
  const shown = ({ id, email, roles, createdAt }: NewUser, disabledAt?: Date): User => ({
    id,
    email,
    roles,
    createdAt,
    disabledAt,
  });

  describe(`${name}: users`, () => {
    it('has none at first, and then lists them, the oldest first', async () => {
      const empty = await createDatabase();
      const fresh = await empty.open();
      try {
        expect(await fresh.hasUsers()).toBe(false);
        expect(await fresh.listUsers()).toEqual([]);
        const users = [3, 1, 2].map((day) => newUser({ createdAt: after(day) }));
        for (const user of users) await fresh.createUser(user);
        expect(await fresh.hasUsers()).toBe(true);
        expect((await fresh.listUsers()).map((user) => user.createdAt)).toEqual([
          after(1),
          after(2),
          after(3),
        ]);
      } finally {
        await fresh.close();
        await empty.remove();
      }
    });

    it('gives back a user as created, by email key and by id', async () => {
      const user = newUser({
        email: 'Zoë+x@例え.jp',
        emailKey: `zoë+${crypto.randomUUID()}@例え.jp`,
        roles: [],
      });
      expect(await store.createUser(user)).toEqual(shown(user));
      expect(await store.findUserById(user.id)).toEqual(shown(user));
      expect(await store.findUserByEmail(user.emailKey)).toEqual({
        user: shown(user),
        passwordHash: user.passwordHash,
      });
    });

    it('finds nobody under an unknown id or email key', async () => {
      expect(await store.findUserById(UNKNOWN_ID)).toBeUndefined();
      expect(await store.findUserByEmail('nobody@example.com')).toBeUndefined();
    });

    it('refuses an email key that is taken and leaves the first account as it is', async () => {
      const user = await addUser();
      expect(await store.createUser(newUser({ emailKey: user.emailKey }))).toBeUndefined();
      expect((await store.findUserByEmail(user.emailKey))?.user).toEqual(shown(user));
    });

    it('lets exactly one of two instances at once have an email', async () => {
      const other = await open();
      for (let round = 0; round < 10; round += 1) {
        const { emailKey } = newUser();
        const made = await Promise.all(
          [store, other, store, other].map((one) => one.createUser(newUser({ emailKey }))),
        );
        expect(made.filter((user) => user !== undefined)).toHaveLength(1);
      }
    });

    it('replaces a password hash only while it is the one that was read', async () => {
      const { id, emailKey, passwordHash } = await addUser();
      await store.updatePasswordHash(id, passwordHash, 'second');
      await store.updatePasswordHash(id, passwordHash, 'third');
      await store.updatePasswordHash(UNKNOWN_ID, 'second', 'fourth');
      expect((await store.findUserByEmail(emailKey))?.passwordHash).toBe('second');
    });
  });

  describe(`${name}: disabling`, () => {
    it('ends the live sessions, counts them, and keeps the first instant when done again', async () => {
      const user = await addUser();
      const { id } = await addSession({ userId: user.id });
      await addSession({ userId: user.id });
      await addSession({ userId: user.id, revokedAt: NOW });
      const disabled = shown(user, after(1));
      expect(await store.disableUser(user.emailKey, after(1), IDLE_SECONDS)).toEqual({
        user: disabled,
        endedSessions: 2,
      });
      expect(await store.disableUser(user.emailKey, after(2), IDLE_SECONDS)).toEqual({
        user: disabled,
        endedSessions: 0,
      });
      expect(await store.findUserById(user.id)).toEqual(disabled);
      expect(await live(user.id)).toEqual([]);
      expect(await rotate(id, 1)).toEqual({ outcome: 'REVOKED' });
    });

    it('does not count a session that had expired before', async () => {
      const user = await addUser();
      await addSession({ userId: user.id });
      expect((await store.disableUser(user.emailKey, after(TTL_SECONDS), IDLE_SECONDS))?.endedSessions).toBe(
        0,
      );
    });

    it('leaves the sessions of others alone and knows no unknown account', async () => {
      const { userId } = await addSession();
      await store.disableUser((await addUser()).emailKey, NOW, IDLE_SECONDS);
      expect(await live(userId)).toHaveLength(1);
      expect(await store.disableUser('nobody@example.com', NOW, IDLE_SECONDS)).toBeUndefined();
    });

    it('never leaves a live session when racing sign-ins', async () => {
      for (let round = 0; round < 10; round += 1) {
        const user = await addUser();
        const signIn = () => store.createSession(newSession(user.id));
        const ended = await Promise.all([
          ...Array.from({ length: round }, signIn),
          store.disableUser(user.emailKey, NOW, IDLE_SECONDS),
          ...Array.from({ length: 5 }, signIn),
        ]);
        expect(ended.at(-1)).toBe(false);
        expect(await live(user.id)).toEqual([]);
      }
    });
  });

  describe(`${name}: sessions`, () => {
    it('are created for an enabled account alone', async () => {
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

    it('end once, by their owner or by whoever needs no owner', async () => {
      const mine = await addSession();
      const end = (sessionId: string, userId?: string) =>
        store.revokeSession(userId === undefined ? { sessionId } : { sessionId, userId }, NOW, IDLE_SECONDS);
      expect(await end(mine.id, (await addUser()).id)).toBe(false);
      expect(await live(mine.userId)).toHaveLength(1);
      expect(await end(mine.id, mine.userId)).toBe(true);
      expect(await end(mine.id, mine.userId)).toBe(false);
      expect(await live(mine.userId)).toEqual([]);
      expect(await end((await addSession()).id)).toBe(true);
      expect(await end(UNKNOWN_ID)).toBe(false);
    });

    it.each([
      ['one that has expired', { expiresAt: NOW }],
      ['one that lay idle', { lastUsedAt: after(-IDLE_SECONDS) }],
    ])('do not end twice: %s', async (_, changes) => {
      const { id, userId } = await addSession(changes);
      expect(await store.revokeSession({ sessionId: id }, NOW, IDLE_SECONDS)).toBe(false);
      expect(await store.revokeAllSessions(userId, NOW, IDLE_SECONDS)).toBe(0);
    });

    it('end all at once, counted', async () => {
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
  });

  describe(`${name}: rotation`, () => {
    it('gives the session and its user as they are afterwards', async () => {
      const user = await addUser();
      const session = await addSession({ userId: user.id });
      const rotated = { ...session, generation: 2, lastUsedAt: after(5) };
      const answer = { session: rotated, user: shown(user) };
      expect(await rotate(session.id, 1, after(5))).toEqual({ outcome: 'ROTATED', ...answer });
      expect(await rotate(session.id, 1, after(6))).toEqual({ outcome: 'REPEATED', ...answer });
      expect(await live(user.id)).toEqual([rotated]);
    });

    it('answers UNKNOWN to a session or generation that it never had', async () => {
      const { id, userId } = await addSession();
      expect(await rotate(UNKNOWN_ID, 1)).toEqual({ outcome: 'UNKNOWN' });
      expect(await rotate(id, 2)).toEqual({ outcome: 'UNKNOWN' });
      expect(await live(userId)).toHaveLength(1);
    });

    it('answers 50 at once with one token by one rotation', async () => {
      const { id } = await addSession();
      const answers = await Promise.all(Array.from({ length: 50 }, () => rotate(id, 1)));
      const outcomes = Object.groupBy(answers, ({ outcome }) => outcome);
      expect(outcomes.ROTATED).toHaveLength(1);
      expect(outcomes.REPEATED).toHaveLength(49);
      const generations = answers.map((answer) => 'session' in answer && answer.session.generation);
      expect(new Set(generations)).toEqual(new Set([2]));
    });

    const step = fc.oneof(
      // Mostly the newest tokens, or every run would end in the first theft.
      { weight: 6, arbitrary: fc.record({ present: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1) }) },
      { weight: 1, arbitrary: fc.record({ presentAtOnce: fc.integer({ min: 2, max: 5 }) }) },
      { weight: 4, arbitrary: fc.record({ advance: fc.constantFrom(1, 9, 10, 11, 99, 100) }) },
      { weight: 1, arbitrary: fc.record({ revoke: fc.constant(true) }) },
    );

    it('keeps one live generation, ends a session on theft, and never revives one', async () => {
      const { id: userId } = await addUser();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const { id } = await addSession({ userId });
          let now = NOW;
          let newest = 1;
          let usedAt = NOW;
          let ended: boolean = false;
          const expired = () => now >= after(TTL_SECONDS) || now >= after(IDLE_SECONDS, usedAt);

          /** Says what must become of the token, from the words of the contract alone. */
          function expectedOf(generation: number) {
            if (ended) return 'REVOKED';
            if (expired()) return 'EXPIRED';
            if (generation > newest) return 'UNKNOWN';
            if (generation === newest) return 'ROTATED';
            const lately = now <= after(GRACE_SECONDS, usedAt);
            return generation === newest - 1 && lately ? 'REPEATED' : 'REUSED';
          }
          function note(outcome: string) {
            if (outcome === 'REUSED') ended = true;
            if (outcome === 'ROTATED') [newest, usedAt] = [newest + 1, now];
          }

          for (const taken of steps) {
            if ('advance' in taken) now = after(taken.advance, now);
            if ('revoke' in taken) {
              const wasLive: boolean = !ended && !expired();
              expect(await store.revokeSession({ sessionId: id }, now, IDLE_SECONDS)).toBe(wasLive);
              ended = true; // an expired one too, so that a longer lifetime does not bring it back
            }
            if ('present' in taken) {
              const generation = Math.max(1, newest - taken.present);
              const expected = expectedOf(generation);
              const answer = await rotate(id, generation, now);
              expect(answer.outcome).toBe(expected);
              note(expected);
              if ('session' in answer) expect(answer.session.generation).toBe(newest);
            }
            if ('presentAtOnce' in taken) {
              const generation = newest;
              const answers = await Promise.all(
                Array.from({ length: taken.presentAtOnce }, () => rotate(id, generation, now)),
              );
              for (const { outcome } of answers.toSorted((a) => (a.outcome === 'ROTATED' ? -1 : 1))) {
                expect(outcome).toBe(expectedOf(generation));
                note(outcome);
              }
            }
            const listed = (await live(userId, now)).filter((session) => session.id === id);
            const generations = listed.map(({ generation }) => generation);
            expect(generations).toEqual(ended || expired() ? [] : [newest]);
          }
          await store.revokeSession({ sessionId: id }, NOW, IDLE_SECONDS);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe(`${name}: following revocations`, () => {
    /** Follows `on` from `since` and keeps what is told. */
    async function follow(on: Store, since: Date) {
      const told: Revocation[] = [];
      await on.followRevocations((revocation) => told.push(revocation), since);
      return told;
    }

    it('tells of the past first, from the given instant on', async () => {
      const since = after(5_000);
      const [old, atOnce, later] = [await addSession(), await addSession(), await addSession()];
      await store.revokeSession({ sessionId: old.id }, after(-1, since), IDLE_SECONDS);
      await store.revokeSession({ sessionId: atOnce.id }, since, IDLE_SECONDS);
      await store.revokeSession({ sessionId: later.id }, after(1, since), IDLE_SECONDS);
      const told = await follow(store, since);
      expect(told).toContainEqual({ sessionId: atOnce.id, revokedAt: since });
      expect(told).toContainEqual({ sessionId: later.id, revokedAt: after(1, since) });
      expect(told.map(({ sessionId }) => sessionId)).not.toContain(old.id);
    });

    it('tells of every way to end a session before the verb resolves', async () => {
      const told = await follow(store, after(9_000));
      const user = await addUser();
      const sessions = [];
      for (let i = 0; i < 5; i += 1) sessions.push(await addSession({ userId: user.id }));
      const [one, reused, second, third, fourth] = sessions.map(({ id }) => id);
      const endings: [() => Promise<unknown>, (string | undefined)[]][] = [
        [() => store.revokeSession({ sessionId: one ?? '' }, NOW, IDLE_SECONDS), [one]],
        [() => rotate(reused ?? '', 1), []],
        [() => rotate(reused ?? '', 1, after(GRACE_SECONDS + 1)), [reused]],
        [() => store.revokeAllSessions(user.id, NOW, IDLE_SECONDS), [second, third, fourth]],
      ];
      for (const [end, expected] of endings) {
        told.length = 0;
        await end();
        expect(told.map(({ sessionId }) => sessionId).toSorted()).toEqual(expected.toSorted());
      }
      const last = await addSession({ userId: user.id });
      await store.disableUser(user.emailKey, after(3), IDLE_SECONDS);
      expect(told.at(-1)).toEqual({ sessionId: last.id, revokedAt: after(3) });
    });

    it.each([
      ['within a second', [0, 1, 2]],
      ['though its clock is behind, or was set back', [3_600, 0]],
    ])('tells of what another instance revokes %s', async (_, revokedAfter) => {
      const from = after(100_000);
      const other = await open();
      const { id: userId } = await addUser();
      const heard = new Map<string, PromiseWithResolvers<Revocation>>();
      await other.followRevocations(
        (revocation) => heard.get(revocation.sessionId)?.resolve(revocation),
        from,
      );
      for (const seconds of revokedAfter) {
        const revokedAt = after(seconds, from);
        const { id } = await addSession({ userId, lastUsedAt: revokedAt, expiresAt: after(1_000_000) });
        const told = Promise.withResolvers<Revocation>();
        heard.set(id, told);
        await store.revokeSession({ sessionId: id }, revokedAt, IDLE_SECONDS);
        expect(await within(1_000, told.promise)).toEqual({ sessionId: id, revokedAt });
      }
    });
  });

  describe(`${name}: signing keys`, () => {
    const newKey = (algorithm: string): SigningKeyRow => ({
      kid: crypto.randomUUID(),
      algorithm,
      status: 'current',
      publicJwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
      sealedPrivateJwk: 'sealed',
      createdAt: NOW,
    });

    it('keeps the first current key of an algorithm and retires that of another', async () => {
      const [first, second, other] = [newKey('EdDSA'), newKey('EdDSA'), newKey('ES256')];
      await Promise.all([
        store.replaceCurrentSigningKey(first, NOW),
        store.replaceCurrentSigningKey(second, NOW),
      ]);
      expect(await store.listSigningKeys()).toEqual([first]);
      await store.replaceCurrentSigningKey(other, after(1));
      const keys = await store.listSigningKeys();
      expect(keys).toContainEqual({ ...first, status: 'retired' });
      expect(keys).toContainEqual(other);
      expect(keys).toHaveLength(2);
    });
  });

  describe(`${name}: opening and closing`, () => {
    it('answers a ping while open, and rejects when closed', async () => {
      const other = await database.open();
      await other.ping();
      await other.close();
      await expect(other.ping()).rejects.toThrow();
    });

    it('finishes what is under way when it closes', async () => {
      const other = await database.open();
      const { id: userId } = await addUser();
      const session = newSession(userId);
      const created = other.createSession(session);
      const closed = other.close();
      expect(await created).toBe(true);
      await closed;
      expect(await live(userId)).toEqual([session]);
    });

    it('finds everything again', async () => {
      const session = await addSession();
      const reopened = await open();
      expect(await reopened.listLiveSessions(session.userId, NOW, IDLE_SECONDS)).toEqual([session]);
    });
  });
}
