// The store port: what the use cases need kept, and what each verb promises. One implementation, in database.ts.

import type { JWK } from 'jose';
import type { RotationRequest } from '../sessions/refresh-policy.ts';
import type { Session } from '../sessions/session.ts';

/** A user's account. */
export interface User {
  /** Never changes. */
  id: string;
  /** As registered. */
  email: string;
  /** Their current roles. */
  roles: readonly string[];
  /** Time of registration. */
  createdAt: Date;
  /** Set: the account cannot sign in, and its sessions have ended. */
  disabledAt: Date | undefined;
}

/** A user to create. */
export interface NewUser extends Omit<User, 'disabledAt'> {
  /** As compared; unique. */
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

/** What a sign-in is checked against. */
export interface SignInCredentials extends UserCredentials {
  /** Whether a session of the account was created from the network lately. */
  isKnownNetwork: boolean;
}

/** What became of a presented refresh token; `session` is as it is afterwards. */
export type Rotation =
  | { outcome: 'ROTATED' | 'REPEATED'; session: Session; user: User }
  | { outcome: 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN' };

/** `next` is published and signs nothing yet; `current` signs; `retired` verifies what it has signed. */
export type SigningKeyStatus = 'next' | 'current' | 'retired';

/** A signing key as the database has it. */
export interface SigningKeyRow {
  /** Key id, unique (RFC 7517, section 4.5). */
  kid: string;
  /** JWS algorithm name. */
  algorithm: string;
  /** Its place in the rotation. */
  status: SigningKeyStatus;
  /** The public half, published in the JWK Set. */
  publicJwk: JWK;
  /** The private half, encrypted with a key derived from the secret. */
  sealedPrivateJwk: string;
  /** Since when it is published. */
  createdAt: Date;
  /** Since when it signs, or signed. */
  currentSince: Date | undefined;
  /** When the next key replaced it. */
  retiredAt: Date | undefined;
}

/** What every instance must hear of, whichever of them did it. */
export type FeedEvent =
  | { kind: 'SESSION_REVOKED'; sessionId: string; revokedAt: Date }
  /** `roles` are those that the user has now. */
  | { kind: 'ROLES_CHANGED'; userId: string; roles: readonly string[]; changedAt: Date }
  | { kind: 'KEYS_CHANGED' }
  /** The rate limits of an account are deleted; `subject` is its pseudonym. */
  | { kind: 'LIMITS_CLEARED'; subject: string; clearedAt: Date };

/** What a session's access tokens are worth, as the database has it. */
export interface SessionStatus {
  /** When the session was revoked, if it was. */
  revokedAt: Date | undefined;
  /** Those that its user has now. */
  roles: readonly string[];
}

/**
 * Every verb that writes is atomic, and is on disk when its promise resolves: a crash afterwards loses nothing. Verbs
 * may run at the same time, from several processes. They reject only where the database itself fails: with an
 * `AuthError` `STORE_UNAVAILABLE` where it cannot be reached or does not answer in time, which may leave a write done.
 */
export interface Store {
  /**
   * Creates a user.
   * @returns undefined where the email is taken; of two at once with one email, exactly one succeeds
   * @throws AuthError `INVALID_VALUE` for more roles, or longer ones, than a token can carry
   */
  createUser(user: NewUser): Promise<User | undefined>;
  /** Finds a user and their password hash by `emailKey`. */
  findUserByEmail(emailKey: string): Promise<UserCredentials | undefined>;
  /**
   * One statement, the same whether the account exists or not.
   *
   * @param network pseudonym of the caller's network; undefined if that is unknown, which is never a known network
   * @param knownSince a network that was last used before is not known any more
   */
  findCredentials(
    emailKey: string,
    network: string | undefined,
    knownSince: Date,
  ): Promise<SignInCredentials | undefined>;
  /** Finds a user. @returns undefined if the id is unknown */
  findUserById(id: string): Promise<User | undefined>;
  /** Whether any user exists. */
  hasUsers(): Promise<boolean>;
  /** Every user, the oldest first. */
  listUsers(): Promise<User[]>;
  /** Replaces the hash, unless it has changed since `previousHash` was read. */
  updatePasswordHash(userId: string, previousHash: string, passwordHash: string): Promise<void>;
  /**
   * Disables the account and ends its live sessions in one step; a sign-in under way at that moment gets no session.
   * @returns the user and how many live sessions ended; undefined where there is no such account
   */
  disableUser(
    emailKey: string,
    now: Date,
    idleSeconds: number,
  ): Promise<{ user: User; endedSessions: number } | undefined>;
  /**
   * Replaces the password hash, whatever it was, and ends the account's live sessions in one step.
   * @returns the user and how many live sessions ended; undefined if there is no such account
   */
  setPasswordHash(
    emailKey: string,
    passwordHash: string,
    now: Date,
    idleSeconds: number,
  ): Promise<{ user: User; endedSessions: number } | undefined>;
  /**
   * Adds and takes away roles in one step.
   * @throws AuthError `INVALID_VALUE` if the account would have more roles, or longer ones, than a token can carry
   * @returns the user as it is now, and whether that is different from before; undefined where there is no such account
   */
  changeRoles(
    emailKey: string,
    change: { add?: readonly string[]; remove?: readonly string[] },
    now: Date,
  ): Promise<{ user: User; changed: boolean } | undefined>;

  /**
   * Creates a session.
   *
   * @param network pseudonym of the network that the account signs in from, which is known to it from now on; of 20
   *   others the one that was used longest ago is forgotten
   *
   * An account has at most 100 live sessions: beyond that the least recently used one is revoked in the same step. Of its
   * ended sessions at most 100 are kept, those that ended last.
   * @returns false, and creates nothing, where the account is disabled or absent
   */
  createSession(session: Session, network?: string): Promise<boolean>;
  /** The sessions of a user that are neither revoked nor expired, the most recently used first; at most 100. */
  listLiveSessions(userId: string, now: Date, idleSeconds: number): Promise<Session[]>;
  /** Finds whether a session is revoked. @returns undefined if there is no such session, or no longer */
  findSessionStatus(sessionId: string): Promise<SessionStatus | undefined>;
  /**
   * Compares the generation and sets the next in one step. Of any number at once with one token, one is `ROTATED` and
   * the others, inside the grace and until the successor has been used, `REPEATED` with the same session. A token older
   * than that is `REUSED`, and the session is revoked in the same step.
   */
  rotateSession(request: RotationRequest): Promise<Rotation>;
  /**
   * Ends a session of the user's, of anyone's where `userId` is absent; an expired one too, so that a longer lifetime
   * configured later does not bring it back.
   * @returns whether it was live until now
   */
  revokeSession(id: { sessionId: string; userId?: string }, now: Date, idleSeconds: number): Promise<boolean>;
  /** Revokes every session of a user. @returns how many live sessions ended */
  revokeAllSessions(userId: string, now: Date, idleSeconds: number): Promise<number>;

  /**
   * Calls `listener` for each change made at `since` or later, then for each as it is made: for a session that this
   * store revokes before the revoking verb resolves, for all else within half a second. May call more than once for
   * one. Resolves when the past has been told. `since` is asked again after an interruption.
   */
  subscribe(listener: (change: FeedEvent) => void, since: () => Date): Promise<void>;
  /** Up to when every change has been told: milliseconds, as by `performance.now()`. */
  feedSyncedAt(): number;

  /** Every key that is kept, the oldest first; at most one is `next`, and one `current`. */
  listSigningKeys(): Promise<SigningKeyRow[]>;
  /**
   * Puts the `next` and `current` keys among `keys` into places that are empty, or taken by a key of another
   * algorithm: that one is retired where it was current, and gone where it was next. Of several at once, one wins.
   */
  addSigningKeys(keys: readonly SigningKeyRow[], now: Date): Promise<void>;
  /**
   * Retires the current key, makes the next one current and `replacement` the next, in one step.
   * @returns false, and changes nothing, where the next key is not `nextKid` any more: another instance was quicker
   */
  rotateSigningKeys(nextKid: string, replacement: SigningKeyRow, now: Date): Promise<boolean>;
  /**
   * Deletes one key. If it was current, the next one becomes current, and `replacement` the next; if it was next,
   * `replacement` takes its place; if it was retired, `replacement` is not used.
   * @returns the status that the key had; undefined if there is no such key
   */
  revokeSigningKey(
    kid: string,
    replacement: SigningKeyRow | undefined,
    now: Date,
  ): Promise<SigningKeyStatus | undefined>;
  /** Deletes every key. @returns how many */
  revokeAllSigningKeys(now: Date): Promise<number>;

  /** Publishes that the rate limits of an account are deleted. @param subject pseudonym of the account */
  clearLimits(subject: string, now: Date): Promise<void>;

  /**
   * Takes or renews the lease of a task that one instance at a time shall do.
   * @returns whether `holder` has it for so many seconds from `now`; false while somebody else has
   */
  takeLease(task: string, holder: string, now: Date, seconds: number): Promise<boolean>;
  /**
   * Looks at up to `limit` sessions in the order of their ids, from the one after `after`, and removes those that
   * ended before `before`: by being revoked, lying idle, or their absolute end.
   * @returns how many were removed, and where to go on; `after` is undefined at the end
   */
  removeEndedSessions(request: {
    before: Date;
    idleSeconds: number;
    after: string | undefined;
    limit: number;
  }): Promise<{ removed: number; after: string | undefined }>;
  /** Forgets up to `limit` changes made before `before`. @returns how many */
  removeChanges(before: Date, limit: number): Promise<number>;
  /** Removes up to `limit` known networks that were last used before `before`. @returns how many */
  removeKnownNetworks(before: Date, limit: number): Promise<number>;
  /** Removes the keys that were retired before `before`. @returns how many */
  removeRetiredKeys(before: Date, now: Date): Promise<number>;

  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Waits for what is under way, then lets go of the database; a second call is the first one. */
  close(): Promise<void>;
}
