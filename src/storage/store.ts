// The store port: every query that Bandha makes, and what each one guarantees. `openStore` implements it.
import type { JWK } from 'jose';
import type { RotationRequest } from '../sessions/refresh-policy.ts';
import type { Session } from '../sessions/session.ts';

/** A user's account. */
export interface User {
  /** Never changes. */
  id: string;
  /** In the form that the user entered at registration. */
  email: string;
  /** Current roles. */
  roles: readonly string[];
  /** Time of registration. */
  createdAt: Date;
  /** Set if the account is disabled: it cannot sign in, and its sessions are revoked. */
  disabledAt: Date | undefined;
}

/** A user to create. */
export interface NewUser extends Omit<User, 'disabledAt'> {
  /** Normalized email; unique among accounts. */
  emailKey: string;
  /** PHC string format. */
  passwordHash: string;
}

/** A user and the hash of their password. */
export interface UserCredentials {
  /** The user. */
  user: User;
  /** PHC string format. */
  passwordHash: string;
}

/** The data that a login is checked against. */
export interface SignInCredentials extends UserCredentials {
  /** Whether the account has recently signed in from the caller's network. */
  isKnownNetwork: boolean;
}

/** Result of presenting a refresh token; `session` is its state afterwards. See `RefreshDecision`. */
export type Rotation =
  | { outcome: 'ROTATED' | 'REPEATED'; session: Session; user: User }
  | { outcome: 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN' };

/** `next` is published but signs nothing yet; `current` signs; `retired` only verifies tokens that it signed before. */
export type SigningKeyStatus = 'next' | 'current' | 'retired';

/** A signing key as stored. */
export interface SigningKeyRow {
  /** Key id, unique (RFC 7517, section 4.5). */
  kid: string;
  /** Name of the JWS algorithm. */
  algorithm: string;
  /** State of the key in the rotation. */
  status: SigningKeyStatus;
  /** Public key, published in the JWK Set. */
  publicJwk: JWK;
  /** Private key, encrypted with a key derived from the secret. */
  sealedPrivateJwk: string;
  /** When the key was published. */
  createdAt: Date;
  /** When the key became `current`; undefined if it never was. */
  currentSince: Date | undefined;
  /** When another key replaced it; undefined if it is not retired. */
  retiredAt: Date | undefined;
}

/** A change that every instance has to apply, whichever instance made it. */
export type FeedEvent =
  | { kind: 'SESSION_REVOKED'; sessionId: string; revokedAt: Date }
  /** `roles` are the current ones, which may be newer than the event. */
  | { kind: 'ROLES_CHANGED'; userId: string; roles: readonly string[]; changedAt: Date }
  | { kind: 'KEYS_CHANGED' }
  /** The rate limits of one account were cleared; `subject` is its pseudonym. */
  | { kind: 'LIMITS_CLEARED'; subject: string; clearedAt: Date };

/** The part of a session that decides whether its access tokens are accepted. */
export interface SessionStatus {
  /** Undefined unless the session was revoked. */
  revokedAt: Date | undefined;
  /** Current roles of the session's user. */
  roles: readonly string[];
}

/** Result of a change to an account that revokes its sessions. */
export interface RevokingChange {
  /** The user after the change. */
  user: User;
  /** How many live sessions were revoked; expired ones are not counted. */
  revokedSessions: number;
}

/**
 * All methods may be called concurrently, also from several processes on one database. A method that writes does so in
 * one transaction, which is on disk when the promise resolves; it records the feed events of its changes in the same
 * transaction. Callers give the time; `idleSeconds` is the number of seconds after its last use at which a session expires.
 *
 * @throws {@link AuthError} `STORE_UNAVAILABLE` from every method if the database cannot be reached, does not respond in
 *   time, or the store is closed. A write may have been committed nevertheless. Other errors of the database are thrown
 *   unchanged.
 */
export interface Store {
  /**
   * Creates an account. Called twice with one email, also at the same time, exactly one call creates it.
   *
   * @returns the user, or undefined if the email is taken
   * @throws {@link AuthError} `INVALID_VALUE` if an access token cannot carry the roles; see `assertRolesFit`
   */
  createUser(user: NewUser): Promise<User | undefined>;

  /** Finds a user and their password hash. @returns undefined if no account has the email */
  findUserByEmail(emailKey: string): Promise<UserCredentials | undefined>;

  /**
   * Finds the data that a login is checked against, in one statement that is the same whether or not the account exists.
   *
   * @param network pseudonym of the caller's network; undefined if it is not known, which is never a known network
   * @param knownSince a network that was last used before is not known any more
   * @returns undefined if no account has the email
   */
  findCredentials(
    emailKey: string,
    network: string | undefined,
    knownSince: Date,
  ): Promise<SignInCredentials | undefined>;

  /** Finds a user. @returns undefined if the id is unknown */
  findUserById(id: string): Promise<User | undefined>;

  /** Checks whether any account exists. */
  hasUsers(): Promise<boolean>;

  /** Lists every user, the oldest first. */
  listUsers(): Promise<User[]>;

  /** Replaces the hash if it still is `previousHash`; does nothing otherwise, also when called twice. */
  updatePasswordHash(userId: string, previousHash: string, passwordHash: string): Promise<void>;

  /**
   * Disables an account and revokes its sessions, atomically: a login in flight gets no session. Called twice, it keeps
   * the first `disabledAt` and revokes nothing.
   *
   * @returns undefined if no account has the email
   */
  disableUser(emailKey: string, now: Date, idleSeconds: number): Promise<RevokingChange | undefined>;

  /**
   * Replaces the password hash (PHC string format) and revokes the sessions of the account, atomically. Called twice, it
   * also revokes sessions that were created in between. A disabled account stays disabled.
   *
   * @returns undefined if no account has the email
   */
  setPasswordHash(
    emailKey: string,
    passwordHash: string,
    now: Date,
    idleSeconds: number,
  ): Promise<RevokingChange | undefined>;

  /**
   * Adds and removes roles, atomically; concurrent changes are not lost. A role in both lists is removed. Called twice,
   * the second call changes nothing.
   *
   * @returns the user, and whether the roles were changed; undefined if no account has the email
   * @throws {@link AuthError} `INVALID_VALUE` if roles were added that an access token cannot carry; see `assertRolesFit`
   */
  changeRoles(
    emailKey: string,
    change: { add?: readonly string[]; remove?: readonly string[] },
    now: Date,
  ): Promise<{ user: User; changed: boolean } | undefined>;

  /**
   * Creates a session, atomically with the limits of its account: beyond 100 live sessions the least recently used one is
   * revoked; of ended sessions only the 100 that ended last are kept. Not idempotent: an id that exists rejects.
   *
   * @param network pseudonym of the network of the login, which becomes a known network of the account; beyond 20 the
   *   least recently used one is removed
   * @returns false, without a session, if the account is disabled or does not exist
   */
  createSession(session: Session, network?: string): Promise<boolean>;

  /** Lists the live sessions of a user, the most recently used first; at most 100. */
  listLiveSessions(userId: string, now: Date, idleSeconds: number): Promise<Session[]>;

  /** Finds whether a session is revoked. @returns undefined if the id is unknown or the session has been removed */
  findSessionStatus(sessionId: string): Promise<SessionStatus | undefined>;

  /**
   * Applies `decideRefresh` to a presented refresh token, atomically. Of concurrent calls with the current token, exactly
   * one gets `ROTATED`; the others get `REPEATED` with the same session, within the grace period and until the successor
   * is used. An older token gets `REUSED`, and its session is revoked in the same transaction. The grace period is
   * extended by an outage in which the response may have been lost.
   */
  rotateSession(request: RotationRequest): Promise<Rotation>;

  /**
   * Revokes one session; an expired one too, so that it does not become live again if `idleSeconds` is raised. Called
   * twice, it changes nothing.
   *
   * @param id with `userId`, only a session of this user is revoked
   * @returns whether the session was live
   */
  revokeSession(id: { sessionId: string; userId?: string }, now: Date, idleSeconds: number): Promise<boolean>;

  /** Revokes all sessions of a user, atomically. Called twice, it changes nothing. @returns how many were live */
  revokeAllSessions(userId: string, now: Date, idleSeconds: number): Promise<number>;

  /**
   * Calls `listener` with every event made at `since` or later, then with each new one: before the method that revoked a
   * session resolves if this store revoked it, within half a second otherwise. May repeat an event. If the connection
   * breaks, events are replayed once it works again, so none is missed. Ends when the store is closed.
   *
   * @param since called for the first replay, and again for each replay after a broken connection
   * @returns a promise that resolves when the first replay has ended
   */
  subscribe(listener: (event: FeedEvent) => void, since: () => Date): Promise<void>;

  /**
   * Time up to which every event has been published to the subscribers.
   *
   * @returns milliseconds of `performance.now()`; `-Infinity` before the first subscription
   */
  feedSyncedAt(): number;

  /** Lists the signing keys, the oldest first; at most one is `next` and one `current`. */
  listSigningKeys(): Promise<SigningKeyRow[]>;

  /**
   * Adds a `next` and a `current` key, atomically. A key is not added if one with its status and algorithm exists, so that
   * of concurrent calls one wins and a second call changes nothing. A key of another algorithm makes room: `current` is
   * retired, `next` is deleted.
   */
  addSigningKeys(keys: readonly SigningKeyRow[], now: Date): Promise<void>;

  /**
   * Retires the current key, makes the next one current and adds `replacement` as the next, atomically.
   *
   * @returns false, without a change, if the next key is not `nextKid`: another instance has rotated already
   */
  rotateSigningKeys(nextKid: string, replacement: SigningKeyRow, now: Date): Promise<boolean>;

  /**
   * Deletes a key, atomically with its replacement. If it was `current`, the next key becomes current and `replacement`
   * the next; if it was `next`, `replacement` takes its place; if it was `retired`, `replacement` is not used.
   *
   * @returns the status that the key had; undefined if the kid is unknown, also when called twice
   */
  revokeSigningKey(
    kid: string,
    replacement: SigningKeyRow | undefined,
    now: Date,
  ): Promise<SigningKeyStatus | undefined>;

  /** Deletes every signing key, atomically. @returns how many */
  revokeAllSigningKeys(now: Date): Promise<number>;

  /** Deletes keys that were retired before `before`, atomically. @returns how many */
  removeRetiredKeys(before: Date, now: Date): Promise<number>;

  /**
   * Records the event `LIMITS_CLEARED`, with which every instance clears its rate limits of one account, whose pseudonym is
   * `subject`. Called twice, it records two events.
   */
  clearLimits(subject: string, now: Date): Promise<void>;

  /**
   * Takes or renews the lease of a background job, atomically: of concurrent calls, one holder gets it.
   * @returns whether `holder` has the lease, for `seconds` from `now`; false while another holder has it
   */
  takeLease(task: string, holder: string, now: Date, seconds: number): Promise<boolean>;

  /**
   * Reads up to `limit` sessions in the order of their ids, starting behind the id `after`, and removes those that were
   * revoked or expired before `before`.
   *
   * @returns how many were removed, and `after` for the next call; undefined after the last session
   */
  removeEndedSessions(request: {
    before: Date;
    idleSeconds: number;
    after: string | undefined;
    limit: number;
  }): Promise<{ removed: number; after: string | undefined }>;

  /** Removes up to `limit` feed events made before `before`. @returns how many */
  removeFeedEvents(before: Date, limit: number): Promise<number>;

  /** Removes up to `limit` known networks last used before `before`. @returns how many */
  removeKnownNetworks(before: Date, limit: number): Promise<number>;

  /** Runs a query that reads one row, to check that the database responds. */
  ping(): Promise<void>;

  /** Waits for pending calls, then closes all connections. Called twice, it returns the same promise. */
  close(): Promise<void>;
}
