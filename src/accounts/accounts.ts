// The account functions, bound to their dependencies.
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

/** Registration, sign-in and sessions, for use without GraphQL. Each may throw {@link AuthError} `STORE_UNAVAILABLE`. */
export interface Accounts {
  /**
   * Creates a user and starts a session. Limited by network, because `EMAIL_TAKEN` reveals which emails have an account.
   *
   * @param client shown in the user's session list; `ipAddress` is the key of the rate limit
   * @throws {@link AuthError} `BAD_USER_INPUT`, reason `INVALID_EMAIL`, `WEAK_PASSWORD` or `EMAIL_TAKEN`; `RATE_LIMITED`
   */
  register(account: Registration, client: ClientInfo): Promise<IssuedTokens>;
  /**
   * Verifies email and password and starts a session. An unknown email and a wrong password take the same time and give the
   * same error.
   *
   * @param client shown in the user's session list; `ipAddress` is the key of the rate limit
   * @returns tokens as in RFC 6749, section 5.1; `expiresIn` in seconds
   * @throws {@link AuthError} `INVALID_CREDENTIALS`; `RATE_LIMITED` if a limit is reached or the hashing queue is full
   * @example const { accessToken } = await bandha.accounts.logIn({ email, password }, { userAgent, ipAddress })
   */
  logIn(credentials: { email: string; password: string }, client: ClientInfo): Promise<IssuedTokens>;
  /**
   * Exchanges a refresh token for the session's next tokens. The same token again within `refreshGraceSeconds` gives the same
   * successor; later, it revokes the session (RFC 9700, section 4.14.2).
   *
   * @throws {@link AuthError} `INVALID_REFRESH_TOKEN`, reason `UNKNOWN`, `EXPIRED`, `REVOKED` or `REUSED`
   */
  refresh(refreshToken: string): Promise<IssuedTokens>;
  /**
   * Revokes the session of a refresh token or, without one, of the caller's access token.
   * @returns whether the session was live; an unknown or spent token is not an error (RFC 7009, section 2.2)
   */
  logOut(session: { refreshToken: string | undefined; principal: Principal | null }): Promise<boolean>;
  /** Revokes one session of a user. @returns false if the user has no such live session */
  revokeSession(id: { userId: string; sessionId: string }): Promise<boolean>;
  /** Revokes every session of a user. @returns the number of sessions that were live */
  revokeAllSessions(userId: string): Promise<number>;
  /** Lists the live sessions of a user, the most recently used first. `expiresAt` is when each ends if it is not refreshed. */
  listSessions(userId: string): Promise<Session[]>;
  /** Finds a user. @returns undefined if the id is unknown, such as that of another issuer's token */
  findUser(userId: string): Promise<User | undefined>;
}

/** Binds the account functions to `deps`. */
export function createAccounts(deps: AccountDeps): Accounts {
  return {
    register: (account, client) => register(deps, account, client),
    logIn: (credentials, client) => logIn(deps, credentials, client),
    refresh: (refreshToken) => refresh(deps, refreshToken),
    logOut: (session) => logOut(deps, session),
    revokeSession: (id) => revokeSession(deps, id),
    revokeAllSessions: (userId) => revokeAllSessions(deps, userId),
    listSessions: (userId) => listSessions(deps, userId),
    findUser: (userId) => findUser(deps, userId),
  };
}
