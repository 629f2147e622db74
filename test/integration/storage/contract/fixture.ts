// What the parts of the contract share: two instances on one database, and ways to fill it.
import { afterAll, beforeAll, expect } from 'vitest';
import type { Session } from '../../../../src/sessions/session.ts';
import type {
  FeedEvent,
  NewUser,
  Rotation,
  SigningKeyRow,
  Store,
  User,
} from '../../../../src/storage/store.ts';

/** One empty database that several stores can be opened on. */
export interface TestDatabase {
  open(): Promise<Store>;
  /** Called when every store is closed. */
  remove(): Promise<void>;
}

export interface Fixture {
  readonly store: Store;
  /** Another instance on the same database. */
  readonly other: Store;
  /** One more; closed at the end of the suite if not before. */
  open(): Promise<Store>;
  /** Lends two instances on an empty database, which is gone afterwards. */
  withEmpty(use: (store: Store, other: Store) => Promise<void>): Promise<void>;
  addUser(changes?: Partial<NewUser>): Promise<NewUser>;
  /** Of a new user where `userId` is absent. */
  addSession(changes?: Partial<Session>): Promise<Session>;
  rotate(
    sessionId: string,
    generation: number,
    now?: Date,
    on?: Store,
    successorUsedAt?: Date,
  ): Promise<Rotation>;
  live(userId: string, now?: Date): Promise<Session[]>;
}

export const NOW = new Date('2026-01-31T12:00:00.123Z');
export const GRACE_SECONDS = 10;
export const IDLE_SECONDS = 100;
export const TTL_SECONDS = 1_000;
export const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

export const after = (seconds: number, from = NOW) => new Date(from.getTime() + seconds * 1000);

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

export function newKey(status: SigningKeyRow['status'], algorithm = 'EdDSA'): SigningKeyRow {
  return {
    kid: crypto.randomUUID(),
    algorithm,
    status,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
    sealedPrivateJwk: 'sealed',
    createdAt: NOW,
    currentSince: status === 'current' ? NOW : undefined,
    retiredAt: undefined,
  };
}

/** The user as the store gives it back. */
export function shown({ id, email, roles, createdAt }: NewUser, disabledAt?: Date): User {
  return { id, email, roles, createdAt, disabledAt };
}

export function createFixture(createDatabase: () => Promise<TestDatabase>): Fixture {
  let database: TestDatabase;
  let store: Store;
  let other: Store;
  const opened: Store[] = [];

  async function open(): Promise<Store> {
    const another = await database.open();
    opened.push(another);
    return another;
  }
  beforeAll(async () => {
    database = await createDatabase();
    store = await open();
    other = await open();
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

  return {
    get store() {
      return store;
    },
    get other() {
      return other;
    },
    open,
    addUser,
    async withEmpty(use) {
      const empty = await createDatabase();
      const stores = [await empty.open(), await empty.open()] as const;
      try {
        await use(...stores);
      } finally {
        await Promise.all(stores.map((one) => one.close()));
        await empty.remove();
      }
    },
    async addSession(changes = {}) {
      const session = newSession(changes.userId ?? (await addUser()).id, changes);
      expect(await store.createSession(session)).toBe(true);
      return session;
    },
    rotate: (sessionId, generation, now = NOW, on = store, successorUsedAt = undefined) =>
      on.rotateSession({
        sessionId,
        generation,
        now,
        graceSeconds: GRACE_SECONDS,
        idleSeconds: IDLE_SECONDS,
        successorUsedAt,
      }),
    live: (userId, now = NOW) => store.listLiveSessions(userId, now, IDLE_SECONDS),
  };
}

/** What a store has told. */
export interface Told {
  readonly changes: readonly FeedEvent[];
  /** Resolves when a change that is wanted has been told, at once where it has. */
  heard(isWanted: (change: FeedEvent) => boolean): Promise<FeedEvent>;
}

/** Follows what `store` tells, from `since` on. */
export async function follow(store: Store, since: Date): Promise<Told> {
  const changes: FeedEvent[] = [];
  const listening = new Set<(change: FeedEvent) => void>();
  const told: Told = {
    changes,
    heard(isWanted) {
      const { promise, resolve } = Promise.withResolvers<FeedEvent>();
      const listen = (change: FeedEvent) => {
        if (!isWanted(change)) return;
        listening.delete(listen);
        resolve(change);
      };
      listening.add(listen);
      changes.forEach(listen);
      return promise;
    },
  };
  await store.subscribe(
    (change) => {
      changes.push(change);
      for (const listen of listening) listen(change);
    },
    () => since,
  );
  return told;
}

export const isRevocationOf = (sessionId: string) => (change: FeedEvent) =>
  change.kind === 'SESSION_REVOKED' && change.sessionId === sessionId;
export const isRolesOf = (userId: string, roles: readonly string[]) => (change: FeedEvent) =>
  change.kind === 'ROLES_CHANGED' && change.userId === userId && isSame(change.roles, roles);
export const isOfKeys = (change: FeedEvent) => change.kind === 'KEYS_CHANGED';

/** The ids of the sessions whose end has been told. */
export const revokedIn = (changes: readonly FeedEvent[]) =>
  changes.flatMap((change) => (change.kind === 'SESSION_REVOKED' ? [change.sessionId] : []));

/** As many calls as `times`, in turn on each of the stores, all at once. */
export async function atOnce<T>(
  times: number,
  stores: readonly Store[],
  task: (store: Store, index: number) => Promise<T>,
): Promise<T[]> {
  const calls = Array.from({ length: times }, (_, i) => [stores[i % stores.length] as Store, i] as const); // there is one
  // Were connections made first, they would come one after the other.
  await Promise.all(calls.map(([store]) => store.ping()));
  return Promise.all(calls.map(([store, i]) => task(store, i)));
}

const isSame = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((one, i) => one === others[i]);
