// Public types of the client.

/** The signed-in user, as the server returned it with the latest tokens. */
export interface User {
  /** Never changes for an account. */
  id: string;
  /** As registered; the server compares it without regard to case. */
  email: string;
  /** Roles at the latest sign-in or refresh. */
  roles: string[];
  /** Time of registration: an instant in UTC in RFC 3339 format, such as `2026-01-31T12:00:00.000Z`. */
  createdAt: string;
}

/** Email and password, sent to the server and not stored. */
export interface Credentials {
  /** Compared by the server without regard to case. */
  email: string;
  /** Checked by the server: at registration, a weak one is rejected with `WEAK_PASSWORD`. */
  password: string;
}

/**
 * Reason for which a session ended.
 *
 * - `LOGOUT`: `logout` was called, in this tab or another
 * - `EXPIRED`, `REUSED`, `REVOKED`, `UNKNOWN`: the server rejected the refresh token for this reason
 * - `TOKEN_REVOKED`: the server rejected the access token because its session was revoked
 */
export type SignedOutReason = 'LOGOUT' | 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN' | 'TOKEN_REVOKED';

/** Result of the mutations `register`, `login` and `refresh`. Select these fields. */
export interface AuthPayload {
  /** JWT for the `Authorization` header. */
  accessToken: string;
  /** Valid for one refresh; each refresh returns the next one. */
  refreshToken: string;
  /** Lifetime of the access token in seconds, counted from the time the client receives it. */
  expiresIn: number;
  /** The user of the tokens; select `id`, `email`, `roles` and `createdAt`. */
  user: User;
}

/**
 * A store for the session, synchronous or not, such as React Native's `AsyncStorage`. If a method throws, rejects or takes
 * longer than 2 seconds, the client continues with the session in memory.
 */
export interface AuthStorage {
  /** Returns the stored text; null or undefined if there is none. */
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Stores a text that contains the tokens. A returned promise is awaited. */
  setItem(key: string, value: string): unknown;
  /** Removes the text after sign-out. A returned promise is awaited. */
  removeItem(key: string): unknown;
}

/** Options of `createAuthClient`. */
export interface AuthClientOptions {
  /** GraphQL endpoint, such as `http://localhost:4000/graphql`. In a browser it may be relative to the page. */
  url: string | URL;
  /** A session that the app already has, such as one that its server rendered into the page. It replaces a stored session. */
  tokens?: AuthPayload | null | undefined;
  /**
   * Storage of the session. `memory`: a reload signs the user out unless another tab is open. `localStorage`: the session
   * survives a reload, but any script on the page can read the refresh token.
   * @default 'memory'
   */
  storage?: 'memory' | 'localStorage' | AuthStorage | undefined;
  /**
   * Sends the client's own operations: `register`, `login`, `refresh` and `logout`.
   * @default `globalThis.fetch`, read at each request
   */
  fetch?: typeof fetch | undefined;
}

/** Client of one Bandha server. Every promise that rejects does so with an `AuthClientError`. */
export interface AuthClient {
  /** Absolute URL of the GraphQL endpoint. */
  readonly url: string;
  /**
   * Creates an account and signs in.
   *
   * @returns the new user
   * @throws AuthClientError `BAD_USER_INPUT` with reason `EMAIL_TAKEN`, `INVALID_EMAIL` or `WEAK_PASSWORD`; `RATE_LIMITED`;
   * `SERVICE_UNAVAILABLE`; `SUPERSEDED` if `register`, `login` or `logout` was called in this tab before the response; `NETWORK_ERROR`; `BAD_ANSWER`
   * @example const user = await auth.register({ email, password })
   */
  register(credentials: Credentials): Promise<User>;
  /**
   * Signs in. A session that this client had before is revoked.
   *
   * @returns the signed-in user
   * @throws AuthClientError `INVALID_CREDENTIALS` for an unknown email or a wrong password; `RATE_LIMITED`; `SERVICE_UNAVAILABLE`; `SUPERSEDED` if
   * `register`, `login` or `logout` was called in this tab before the response; `NETWORK_ERROR`; `BAD_ANSWER`
   * @example const user = await auth.login({ email, password })
   */
  login(credentials: Credentials): Promise<User>;
  /**
   * Signs out in all tabs and revokes the session. Never rejects: if the server cannot be reached, the user is signed out
   * here and the session stays valid on the server until it expires.
   */
  logout(): Promise<void>;
  /** The signed-in user, or null. It may be outdated until `ready` resolves. */
  readonly user: User | null;
  /**
   * Resolves when the stored session and the session of other tabs have been loaded, or there is none. Never rejects. On a page
   * without Web Locks (no HTTPS) it does not wait for other tabs; their session is loaded when they reply.
   */
  readonly ready: Promise<void>;
  /**
   * Returns an access token for a request, refreshed first if it is about to expire. A refresh that takes more than 2 seconds does
   * not delay a token that is still valid.
   *
   * @returns null if no user is signed in
   * @throws AuthClientError if the token has expired and cannot be refreshed now: `NETWORK_ERROR`, `BAD_ANSWER` or a code of the
   * server such as `SERVICE_UNAVAILABLE`; `SUPERSEDED` if another user has signed in meanwhile
   * @example
   * const token = await auth.accessToken();
   * const headers = token === null ? {} : { authorization: `Bearer ${token}` };
   */
  accessToken(): Promise<string | null>;
  /**
   * Returns a token to use instead of one that the server rejected with `TOKEN_EXPIRED`. Refreshes only if no other request has
   * done so since.
   *
   * @param rejectedToken the access token that the request was sent with
   * @returns null if its user is no longer signed in; then handle the response as it is
   * @throws AuthClientError if the token cannot be refreshed now; codes as for `accessToken`
   * @example const renewed = await auth.renew(token)
   */
  renew(rejectedToken: string): Promise<string | null>;
  /**
   * Reports that the server rejected a token with `TOKEN_REVOKED`. Signs out in all tabs if the token belongs to the current
   * session; otherwise does nothing.
   *
   * @param rejectedToken the access token that the request was sent with
   */
  revoked(rejectedToken: string): void;
  /**
   * Calls `listener` once for each session that ends, in this tab or another.
   *
   * @returns a function that removes the listener
   * @example const stop = auth.onSignedOut((reason) => showSignIn(reason))
   */
  onSignedOut(listener: (reason: SignedOutReason) => void): () => void;
  /**
   * Calls `listener` when another user has signed in, the user has signed out, or the user's account has changed, for example
   * its roles.
   *
   * @returns a function that removes the listener
   * @example const stop = auth.onUserChanged((user) => render(user))
   */
  onUserChanged(listener: (user: User | null) => void): () => void;
  /** Disconnects from other tabs, after a refresh in flight. The user stays signed in. */
  close(): void;
}
