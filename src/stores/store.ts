// The store port: what the use cases need kept, and what each verb promises. One implementation, in database.ts.
import type { JWK } from 'jose';

export interface User {
  id: string;
  /** As registered. */
  email: string;
  roles: readonly string[];
  createdAt: Date;
  /** Set: the account cannot sign in, and its sessions have ended. */
  disabledAt: Date | undefined;
}

export interface NewUser extends Omit<User, 'disabledAt'> {
  /** As compared; unique. */
  emailKey: string;
  /** PHC string format. */
  passwordHash: string;
}

/** A user with what signing in is checked against. */
export interface UserCredentials {
  user: User;
  passwordHash: string;
}

export interface Session {
  id: string;
  userId: string;
  /** Counts rotations, from 1; the refresh token of this generation is the valid one. */
  generation: number;
  createdAt: Date;
  /** When the person last proved who they are. */
  authenticatedAt: Date;
  /** When tokens were last issued or refreshed. */
  lastUsedAt: Date;
  /** The absolute end. */
  expiresAt: Date;
  revokedAt: Date | undefined;
  userAgent: string | undefined;
  ipAddress: string | undefined;
}

export interface RotationRequest {
  sessionId: string;
  /** The generation of the refresh token presented. */
  generation: number;
  now: Date;
  /** How long a token one generation old is still answered. */
  graceSeconds: number;
  /** How long a session lives unused. */
  idleSeconds: number;
}

/** What became of a presented refresh token; `session` is as it is afterwards. */
export type Rotation =
  | { outcome: 'ROTATED' | 'REPEATED'; session: Session; user: User }
  | { outcome: 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN' };

export interface SigningKeyRow {
  kid: string;
  /** JWS algorithm name. */
  algorithm: string;
  status: 'current' | 'retired';
  publicJwk: JWK;
  sealedPrivateJwk: string;
  createdAt: Date;
}

export interface Revocation {
  sessionId: string;
  revokedAt: Date;
}

/**
 * Every verb that writes is atomic, and is on disk when its promise resolves: a crash afterwards loses nothing. Verbs
 * may run at the same time, from several processes. They reject only where the database itself fails.
 */
export interface Store {
  /** @returns undefined where the email is taken; of two at once with one email, exactly one succeeds */
  createUser(user: NewUser): Promise<User | undefined>;
  findUserByEmail(emailKey: string): Promise<UserCredentials | undefined>;
  findUserById(id: string): Promise<User | undefined>;
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

  /** @returns false, and creates nothing, where the account is disabled or absent */
  createSession(session: Session): Promise<boolean>;
  /** The sessions of a user that are neither revoked nor expired, the most recently used first; at most 100. */
  listLiveSessions(userId: string, now: Date, idleSeconds: number): Promise<Session[]>;
  /**
   * Compares the generation and sets the next in one step. Of any number at once with one token, one is `ROTATED` and
   * the others, inside the grace, `REPEATED` with the same session. A token older than that is `REUSED`, and the
   * session is revoked in the same step.
   */
  rotateSession(request: RotationRequest): Promise<Rotation>;
  /**
   * Ends a session of the user's, of anyone's where `userId` is absent; an expired one too, so that a longer lifetime
   * configured later does not bring it back.
   * @returns whether it was live until now
   */
  revokeSession(id: { sessionId: string; userId?: string }, now: Date, idleSeconds: number): Promise<boolean>;
  /** @returns how many live sessions ended */
  revokeAllSessions(userId: string, now: Date, idleSeconds: number): Promise<number>;
  /**
   * Calls `listener` for each session revoked at `since` or later, then for each as it is revoked: by this store
   * before the revoking verb resolves, by another process within half a second. May call more than once for one.
   * Resolves when those of the past have been told.
   */
  followRevocations(listener: (revocation: Revocation) => void, since: Date): Promise<void>;

  /** The current key and the retired ones that are kept. */
  listSigningKeys(): Promise<SigningKeyRow[]>;
  /**
   * Makes `key` the current one and retires the current one of another algorithm; where a current key of the same
   * algorithm exists already, that one stays. Of several at once, one wins.
   */
  replaceCurrentSigningKey(key: SigningKeyRow, now: Date): Promise<void>;

  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Waits for what is under way, then lets go of the database; a second call is the first one. */
  close(): Promise<void>;
}
