// What an app sees of the client.

/** The account that is signed in, as the server describes it. */
export interface User {
  id: string;
  email: string;
  roles: string[];
  /** An instant in UTC, as RFC 3339 writes it. */
  createdAt: string;
}

export interface Credentials {
  email: string;
  password: string;
}

/**
 * Why nobody is signed in any more: `LOGOUT` was asked for, in this tab or another; the server refused the refresh token
 * (`EXPIRED`, `REUSED`, `REVOKED`, `UNKNOWN`); or it answered that the access token's session has ended (`TOKEN_REVOKED`).
 */
export type SignedOutReason = 'LOGOUT' | 'EXPIRED' | 'REUSED' | 'REVOKED' | 'UNKNOWN' | 'TOKEN_REVOKED';

/** The `AuthPayload` of `register`, `login` or `refresh`, with these fields. */
export interface AuthPayload {
  accessToken: string;
  refreshToken: string;
  /** Seconds for which the access token is valid, counted from when the client gets it. */
  expiresIn: number;
  user: User;
}

/** A place for the session, such as React Native's `AsyncStorage`. If it fails, the session lives as long as the page. */
export interface AuthStorage {
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export interface AuthClientOptions {
  /** The GraphQL endpoint, such as `http://localhost:4000/graphql`. Tabs with the same one share the session. */
  url: string | URL;
  /** A session that the app has already, such as one that its server gave to the page. It replaces a stored one. */
  tokens?: AuthPayload | null | undefined;
  /**
   * `localStorage` survives a reload, and any script on the page can read the tokens there.
   * @default 'memory'
   */
  storage?: 'memory' | 'localStorage' | AuthStorage | undefined;
  /**
   * Sends Bandha's own operations.
   * @default `globalThis.fetch`, looked up at each request
   */
  fetch?: typeof fetch | undefined;
}

export interface AuthClient {
  readonly url: string;
  /** Makes an account and signs in. Rejects with an `AuthClientError`. */
  register(credentials: Credentials): Promise<User>;
  /** Signs in, and ends the session before. Rejects with an `AuthClientError`; `SUPERSEDED` where a later login or logout came before the answer. */
  login(credentials: Credentials): Promise<User>;
  /** Signs out in all tabs, also when the server cannot be reached; then the session stays there until it expires. */
  logout(): Promise<void>;
  /** Who is signed in, as far as is known now. */
  readonly user: User | null;
  /**
   * Settled once another tab's session or the stored one has been taken over, or there is none. Never rejects. On a page
   * without Web Locks (no HTTPS) it does not wait for other tabs; their session is taken over when they answer.
   */
  readonly ready: Promise<void>;
  /**
   * A token that is valid for a while yet, refreshed first if need be; null where nobody is signed in. Rejects with an
   * `AuthClientError` where the token has expired and cannot be refreshed now; `SUPERSEDED` where somebody else has signed in
   * meanwhile.
   */
  accessToken(): Promise<string | null>;
  /**
   * A token other than this one, which the server answered `TOKEN_EXPIRED`: refreshes unless that has happened already.
   * Null where whose it was is not signed in any more. Rejects with an `AuthClientError` where it cannot be refreshed now.
   */
  renew(rejectedToken: string): Promise<string | null>;
  /** The server answered `TOKEN_REVOKED` to this token: signs out everywhere, once, if its session is the current one. */
  revoked(rejectedToken: string): void;
  /** Called once for each session that ends. Returns a function that takes the listener off. */
  onSignedOut(listener: (reason: SignedOutReason) => void): () => void;
  /** Called when somebody else is signed in than before, nobody, or the same account with other roles. */
  onUserChanged(listener: (user: User | null) => void): () => void;
  /** Leaves the other tabs and stops timers, after a refresh that is under way. The session stays. */
  close(): void;
}
