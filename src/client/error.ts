// The error that the client's promises reject with.

/** Optional members of an `AuthClientError`. */
export interface AuthClientErrorDetails {
  /** `extensions.reason` of the GraphQL error. */
  reason?: string | undefined;
  /** Whole seconds of the `Retry-After` header. */
  retryAfterSeconds?: number | undefined;
  /** The error thrown by `fetch`. */
  cause?: unknown;
}

/**
 * An error of the server, with its `extensions.code` and `extensions.reason`, or one of the client:
 *
 * - `NETWORK_ERROR`: the server is unreachable, redirects, or does not respond in time (30 seconds for `register` and `login`,
 *   4 for `refresh` and `logout`)
 * - `BAD_ANSWER`: the response is not a GraphQL result, for example the error page of a proxy, or it has no tokens
 * - `SUPERSEDED`: a later login or logout replaced this operation, or another user has signed in
 *
 * @example
 * if (error instanceof AuthClientError && error.code === 'INVALID_CREDENTIALS') showWrongPassword()
 */
export class AuthClientError extends Error {
  /** A code of the server, or `NETWORK_ERROR`, `BAD_ANSWER` or `SUPERSEDED`. */
  readonly code: string;
  /** Detail of the code, such as `EMAIL_TAKEN`; undefined if the server sent none. */
  readonly reason: string | undefined;
  /** Whole seconds to wait before the next attempt (RFC 9110, section 10.2.3); undefined if the server did not say. */
  readonly retryAfterSeconds: number | undefined;
  /** @param message must not contain a secret */
  constructor(
    code: string,
    message: string,
    { reason, retryAfterSeconds, cause }: AuthClientErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AuthClientError';
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
