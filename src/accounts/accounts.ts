// The account functions of a server, as one object: `bandha.accounts`.
import type { Session } from '../sessions/session.ts';
import type { User } from '../storage/store.ts';
import type { Principal } from '../tokens/principal.ts';
import { findUser } from './administration.ts';
import type { AccountDeps, ClientInfo } from './deps.ts';
import { logIn } from './login.ts';
import { type Registration, register } from './registration.ts';
import {
  type IssuedTokens,
  listSessions,
  logOut,
  refresh,
  revokeAllSessions,
  revokeSession,
} from './sessions.ts';

/**
 * Registration, sign-in and sessions, for resolvers and routes of an application. Bandha's own mutations call the same functions.
 *
 * Each of them throws {@link AuthError} `SERVICE_UNAVAILABLE`, reason `STORE_UNAVAILABLE`, if the database cannot be reached.
 */
export interface Accounts {
  /**
   * Creates a user and starts a session. The limit for the caller's network counts every call but those that fail because of an outage, since `EMAIL_TAKEN` reveals
   * which emails have an account.
   *
   * @param registration the password is checked against the email and a list of common passwords
   * @param client shown in the user's session list; `ipAddress` is the key of the rate limit
   * @returns tokens as in RFC 6749, section 5.1; `expiresIn` in seconds
   * @throws {@link AuthError} `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD`, `INVALID_VALUE` (too many roles, or too
   *   long ones) or `EMAIL_TAKEN`; `RATE_LIMITED` after too many registrations or if the hashing queue is full
   * @example const { user, accessToken } = await bandha.accounts.register({ email, password }, { userAgent, ipAddress })
   */
  register(registration: Registration, client: ClientInfo): Promise<IssuedTokens>;

  /**
   * Verifies email and password and starts a session. An unknown email, a disabled account and a wrong password take the same
   * time and give the same error.
   *
   * @param client shown in the user's session list; `ipAddress` is the key of the rate limit
   * @returns tokens as in RFC 6749, section 5.1; `expiresIn` in seconds
   * @throws {@link AuthError} `INVALID_CREDENTIALS`; `RATE_LIMITED` after too many failures or if the hashing queue is full
   * @example const { accessToken } = await bandha.accounts.logIn({ email, password }, { userAgent, ipAddress })
   */
  logIn(credentials: { email: string; password: string }, client: ClientInfo): Promise<IssuedTokens>;

  /**
   * Exchanges a refresh token for the next tokens of its session (RFC 6749, section 6). The previous refresh token gives the
   * same successor for `refreshGraceSeconds`, so that a client can repeat a request whose response was lost.
   *
   * @returns tokens as in RFC 6749, section 5.1; `expiresIn` in seconds
   * @throws {@link AuthError} `INVALID_REFRESH_TOKEN`, reason `UNKNOWN`, `EXPIRED`, `REVOKED`, or `REUSED`, which has revoked the
   *   session (RFC 9700, section 4.14.2)
   * @example const { accessToken, refreshToken } = await bandha.accounts.refresh(previousRefreshToken)
   */
  refresh(refreshToken: string): Promise<IssuedTokens>;

  /**
   * Revokes the session of a refresh token or, without one, of the caller's access token. An invalid or expired refresh token is
   * not an error (RFC 7009, section 2.2).
   *
   * @returns whether a live session was revoked
   * @example await bandha.accounts.logOut({ principal: context.principal })
   */
  logOut(session: {
    refreshToken?: string | undefined;
    principal?: Principal | null | undefined;
  }): Promise<boolean>;

  /**
   * Revokes one session of a user. A session of another user stays live.
   *
   * @returns false if the user has no such live session
   * @example await bandha.accounts.revokeSession({ userId: principal.userId, sessionId })
   */
  revokeSession(id: { userId: string; sessionId: string }): Promise<boolean>;

  /**
   * Revokes every session of a user.
   *
   * @returns the number of sessions that were live
   * @example const count = await bandha.accounts.revokeAllSessions(principal.userId)
   */
  revokeAllSessions(userId: string): Promise<number>;

  /**
   * Lists the live sessions of a user, the most recently used first, at most 100.
   *
   * @returns `expiresAt` is the time at which a session expires if it is not refreshed again
   * @example const sessions = await bandha.accounts.listSessions(principal.userId)
   */
  listSessions(userId: string): Promise<Session[]>;

  /**
   * Finds a user by id.
   *
   * @returns undefined if the id is unknown, such as that of another issuer's token
   * @example const user = await bandha.accounts.findUser(principal.userId)
   */
  findUser(userId: string): Promise<User | undefined>;
}

export function createAccounts(deps: AccountDeps): Accounts {
  return {
    register: (registration, client) => register(deps, registration, client),
    logIn: (credentials, client) => logIn(deps, credentials, client),
    refresh: (refreshToken) => refresh(deps, refreshToken),
    logOut: (session) => logOut(deps, session),
    revokeSession: (id) => revokeSession(deps, id),
    revokeAllSessions: (userId) => revokeAllSessions(deps, userId),
    listSessions: (userId) => listSessions(deps, userId),
    findUser: (userId) => findUser(deps, userId),
  };
}
