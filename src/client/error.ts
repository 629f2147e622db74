// The one kind of error that the client rejects with.

/** What an `AuthClientError` carries beside its code. */
export interface AuthClientErrorDetails {
  reason?: string | undefined;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/**
 * A refusal of the server, with its `extensions.code` and `reason`, or one of the client's own: `NETWORK_ERROR`, there was
 * no answer; `BAD_ANSWER`, what came is no answer of a GraphQL server; `SUPERSEDED`, a later login or logout came first.
 */
export class AuthClientError extends Error {
  readonly code: string;
  readonly reason: string | undefined;
  /** Whole seconds after which the server suggests another try (RFC 9110, section 10.2.3). */
  readonly retryAfterSeconds: number | undefined;
  /** @param message contains no secret */
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
