// Shared by all parts of the contract: two stores on one database, and functions that create records.
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

/** An empty database on which several stores can be opened. */
export interface TestDatabase {
  open(): Promise<Store>;
  /** Called after every store is closed. */
  remove(): Promise<void>;
}

export interface Fixture {
  readonly store: Store;
  /** Another instance on the same database. */
  readonly other: Store;
  /** Opens one more store, which is closed at the end of the suite at the latest. */
  open(): Promise<Store>;
  /** Runs the function with two stores on a new database, which is removed afterwards. */
  withEmpty(run: (store: Store, other: Store) => Promise<void>): Promise<void>;
  addUser(events?: Partial<NewUser>): Promise<NewUser>;
  /** Creates a session; without `userId`, of a new user. */
  addSession(events?: Partial<Session>): Promise<Session>;
  rotate(
    sessionId: string,
    generation: number,
    now?: Date,
    on?: Store,
    successorUsedAt?: Date,
  ): Promise<Rotation>;
  /** Lists live sessions. */
  live(userId: string, now?: Date): Promise<Session[]>;
}

export const NOW = new Date('2026-01-31T12:00:00.123Z');
export const GRACE_SECONDS = 10;
export const IDLE_SECONDS = 100;
export const TTL_SECONDS = 1_000;
export const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

export const after = (seconds: number, from = NOW) => new Date(from.getTime() + seconds * 1000);

export function newUser(events: Partial<NewUser> = {}): NewUser {
  const id = crypto.randomUUID();
  const email = `Ada.${id}@Example.com`;
  return {
    id,
    email,
    emailKey: email.toLowerCase(),
    passwordHash: '$argon2id$hash',
    roles: ['editor', 'admin'],
    createdAt: NOW,
    ...events,
  };
}

export function newSession(userId: string, events: Partial<Session> = {}): Session {
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
    ...events,
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

/** @returns the user as the store returns it */
export function storedUser({ id, email, roles, createdAt }: NewUser, disabledAt?: Date): User {
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

  async function addUser(events: Partial<NewUser> = {}): Promise<NewUser> {
    const user = newUser(events);
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
    async withEmpty(run) {
      const empty = await createDatabase();
      const stores = [await empty.open(), await empty.open()] as const;
      try {
        await run(...stores);
      } finally {
        await Promise.all(stores.map((one) => one.close()));
        await empty.remove();
      }
    },
    async addSession(events = {}) {
      const session = newSession(events.userId ?? (await addUser()).id, events);
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

/** Records the events of one subscription. */
export interface FeedRecorder {
  readonly events: readonly FeedEvent[];
  /** Resolves with the first matching event, recorded or yet to come. */
  waitFor(matches: (event: FeedEvent) => boolean): Promise<FeedEvent>;
}

/** Subscribes to the feed of `store`, from `since` on. */
export async function subscribeTo(store: Store, since: Date): Promise<FeedRecorder> {
  const events: FeedEvent[] = [];
  const waiting = new Set<(event: FeedEvent) => void>();
  const recorder: FeedRecorder = {
    events,
    waitFor(matches) {
      const { promise, resolve } = Promise.withResolvers<FeedEvent>();
      const listen = (event: FeedEvent) => {
        if (!matches(event)) return;
        waiting.delete(listen);
        resolve(event);
      };
      waiting.add(listen);
      events.forEach(listen);
      return promise;
    },
  };
  await store.subscribe(
    (event) => {
      events.push(event);
      for (const listen of waiting) listen(event);
    },
    () => since,
  );
  return recorder;
}

export const isRevocationOf = (sessionId: string) => (event: FeedEvent) =>
  event.kind === 'SESSION_REVOKED' && event.sessionId === sessionId;
export const isRolesChangeOf = (userId: string, roles: readonly string[]) => (event: FeedEvent) =>
  event.kind === 'ROLES_CHANGED' && event.userId === userId && areEqual(event.roles, roles);
export const isKeysChanged = (event: FeedEvent) => event.kind === 'KEYS_CHANGED';

/** @returns the ids of the sessions whose revocation was published */
export const revokedSessionIds = (events: readonly FeedEvent[]) =>
  events.flatMap((event) => (event.kind === 'SESSION_REVOKED' ? [event.sessionId] : []));

/** Runs `task` `times` times concurrently, round-robin on the stores. */
export async function runConcurrently<T>(
  times: number,
  stores: readonly Store[],
  task: (store: Store, index: number) => Promise<T>,
): Promise<T[]> {
  const calls = Array.from({ length: times }, (_, i) => [stores[i % stores.length] as Store, i] as const); // the index is in range
  // Opens the connections first: tasks that had to connect would start one after another.
  await Promise.all(calls.map(([store]) => store.ping()));
  return Promise.all(calls.map(([store, i]) => task(store, i)));
}

const areEqual = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((one, i) => one === others[i]);
