// The catalogue of errors for clients, and their conversion into GraphQL errors.
import { type ASTNode, GraphQLError } from 'graphql';

/**
 * Invalid configuration, options or schema, found at start.
 *
 * @example
 * try {
 *   await createBandha(options)
 * } catch (error) {
 *   if (error instanceof ConfigError) console.error(error.issues.join('\n'))
 * }
 */
export class ConfigError extends Error {
  /** One line for each mistake: the name of the option or variable, the rule and often the fix. Never a value. */
  readonly issues: readonly string[];
  /** @param issues one line for each mistake; the message has all of them */
  constructor(issues: readonly string[]) {
    super(issues.join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/** `extensions.code` of a GraphQL error. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'SERVICE_UNAVAILABLE'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_REFRESH_TOKEN'
  | 'BAD_USER_INPUT'
  | 'RATE_LIMITED'
  | 'PERSISTED_QUERY_NOT_SUPPORTED';

/** Values that some errors carry beside their code. */
export interface AuthErrorDetails {
  /** Schema coordinate of the denied field, such as `Query.secureData`; becomes `extensions.coordinate`. */
  coordinate?: string;
  /** Required scopes, separated by spaces; for `MISSING_SCOPE` (RFC 6750, section 3). */
  scope?: string;
  /** Maximum seconds since the last sign-in; for `REAUTHENTICATION_REQUIRED` (RFC 9470, section 3). */
  maxAge?: number;
  /** Whole seconds to wait before another attempt, for the header `Retry-After` (RFC 9110, section 10.2.3). @default 5 */
  retryAfterSeconds?: number;
}

/** One row of {@link AUTH_ERRORS}. */
export interface AuthErrorDefinition {
  /** `extensions.code` of the GraphQL error. */
  readonly code: ErrorCode;
  /** HTTP status of the response if the error ends the whole request; 200 if it only ever appears under `errors`. */
  readonly status: number;
  /** Default message, without the final period. */
  readonly message: string;
}

/**
 * Every {@link AuthError} by reason. An error whose reason equals its code has no `extensions.reason`.
 *
 * @example const retryable = Object.entries(AUTH_ERRORS).filter(([, { status }]) => status === 503)
 */
export const AUTH_ERRORS = freezeRows({
  MISSING_TOKEN: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'Sign in first: the request has no bearer token',
  },
  TOKEN_MALFORMED: { code: 'UNAUTHENTICATED', status: 401, message: 'The bearer token is not a JWT' },
  TOKEN_EXPIRED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The access token has expired; refresh it or sign in again',
  },
  TOKEN_INVALID: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The access token is not valid for this server',
  },
  TOKEN_REVOKED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The session of the access token was revoked; sign in again',
  },
  REAUTHENTICATION_REQUIRED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'Sign in again: a more recent sign-in is required',
  },
  MISSING_ROLE: { code: 'FORBIDDEN', status: 403, message: 'The caller does not have a required role' },
  MISSING_SCOPE: {
    code: 'FORBIDDEN',
    status: 403,
    message: 'The access token does not have a required scope',
  },
  POLICY_DENIED: { code: 'FORBIDDEN', status: 403, message: 'A policy denies access' },
  KEYS_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'Signing keys are temporarily unavailable',
  },
  REVOCATIONS_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'The session status is temporarily unavailable',
  },
  STORE_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'The database cannot be reached',
  },
  INVALID_CREDENTIALS: {
    code: 'INVALID_CREDENTIALS',
    status: 200,
    message: 'The email or the password is wrong',
  },
  EXPIRED: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'The session has expired; sign in again',
  },
  REUSED: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'The refresh token was already used, so its session was revoked; sign in again',
  },
  REVOKED: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'The session was revoked; sign in again',
  },
  UNKNOWN: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'The refresh token is not valid for this server; sign in again',
  },
  EMAIL_TAKEN: {
    code: 'BAD_USER_INPUT',
    status: 200,
    message: 'An account with this email already exists',
  },
  WEAK_PASSWORD: { code: 'BAD_USER_INPUT', status: 200, message: 'The password is too weak' },
  INVALID_EMAIL: { code: 'BAD_USER_INPUT', status: 200, message: 'The email address is not valid' },
  INVALID_VALUE: { code: 'BAD_USER_INPUT', status: 200, message: 'A value has an invalid length or format' },
  RATE_LIMITED: { code: 'RATE_LIMITED', status: 429, message: 'Too many attempts; try again later' },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    code: 'PERSISTED_QUERY_NOT_SUPPORTED',
    status: 200,
    message: 'PersistedQueryNotSupported',
  },
});

/** Reason of an {@link AuthError}, a key of {@link AUTH_ERRORS}; becomes `extensions.reason` if it differs from the code. */
export type AuthErrorReason = keyof typeof AUTH_ERRORS;

/** Reason why a presented access token was not accepted; `context.tokenProblem`. */
export type TokenProblem =
  | 'TOKEN_MALFORMED'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_INVALID'
  | 'TOKEN_REVOKED'
  | 'KEYS_UNAVAILABLE'
  | 'REVOCATIONS_UNAVAILABLE';

/**
 * An error that a client may read. Any other error is logged, and masked in the response.
 *
 * @example if (error instanceof AuthError && error.code === 'RATE_LIMITED') wait(error.details.retryAfterSeconds)
 */
export class AuthError extends Error {
  /** `extensions.code` of the GraphQL error. */
  readonly code: ErrorCode;
  /** Row of {@link AUTH_ERRORS}. */
  readonly reason: AuthErrorReason;
  /** HTTP status of the response if the error ends the whole request; 200 if it only ever appears under `errors`. */
  readonly status: number;
  /** Values for `extensions` and response headers. */
  readonly details: AuthErrorDetails;
  /** @param message replaces the default message of the reason; MUST NOT contain a secret or the caller's input */
  constructor(
    reason: AuthErrorReason,
    details: AuthErrorDetails = {},
    message?: string,
    options?: { cause: unknown },
  ) {
    const definition = AUTH_ERRORS[reason];
    super(message ?? definition.message, options);
    this.name = 'AuthError';
    this.code = definition.code;
    this.reason = reason;
    this.status = definition.status;
    this.details = details;
  }
}

/** @returns `error` if it is an AuthError, or the AuthError that GraphQL errors wrap; otherwise undefined */
export function findAuthError(error: unknown): AuthError | undefined {
  let cause = error;
  while (cause instanceof GraphQLError) cause = cause.originalError;
  return cause instanceof AuthError ? cause : undefined;
}

/** Position of an error: nodes of the document, path of the response. */
export interface ErrorLocation {
  nodes?: readonly ASTNode[] | undefined;
  path?: readonly (string | number)[] | undefined;
}

/**
 * Converts an AuthError into a GraphQL error with `extensions.code`, `reason` and `coordinate`.
 *
 * @param endsRequest true if the response has no data; only then the error sets the HTTP status and headers
 */
export function toGraphQLError(
  error: AuthError,
  { nodes, path }: ErrorLocation,
  endsRequest: boolean,
): GraphQLError {
  const { code, reason, status, details, message } = error;
  const sentence = details.coordinate ? `${message} (${details.coordinate}).` : `${message}.`;
  return new GraphQLError(COMPARED_MESSAGES.has(reason) ? message : sentence, {
    nodes,
    path,
    extensions: {
      code,
      ...(reason !== code && { reason }),
      ...(details.coordinate && { coordinate: details.coordinate }),
      // Yoga reads `http` and leaves it out of the body.
      ...(endsRequest && status !== 200 && { http: httpExtensions(error) }),
    },
  });
}

/** Clients such as urql compare these messages, so they get no final period. */
const COMPARED_MESSAGES: ReadonlySet<AuthErrorReason> = new Set(['PERSISTED_QUERY_NOT_SUPPORTED']);

const DEFAULT_RETRY_AFTER_SECONDS = 5;

const invalidToken = ({ message }: AuthError) => `, error="invalid_token", error_description="${message}"`;

/** Parameters of the Bearer challenge after the realm (RFC 6750, section 3). Reasons without an entry get no challenge. */
const CHALLENGES: { readonly [Reason in AuthErrorReason]?: (error: AuthError) => string } = {
  MISSING_TOKEN: () => '',
  TOKEN_MALFORMED: invalidToken,
  TOKEN_EXPIRED: invalidToken,
  TOKEN_INVALID: invalidToken,
  TOKEN_REVOKED: invalidToken,
  REAUTHENTICATION_REQUIRED: ({ details }) =>
    `, error="insufficient_user_authentication", max_age="${details.maxAge}"`,
  MISSING_SCOPE: ({ details }) => `, error="insufficient_scope", scope="${details.scope}"`,
};

function httpExtensions(error: AuthError) {
  const { reason, status, details } = error;
  const challenge = CHALLENGES[reason];
  const headers: Record<string, string> = {};
  if (challenge) headers['WWW-Authenticate'] = `Bearer realm="bandha"${challenge(error)}`;
  if (status === 429 || status === 503) {
    headers['Retry-After'] = String(details.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS);
  }
  return { status, headers };
}

/** Creates an error without a stack trace: an expected error needs none, and capturing it costs more than the error itself. */
export function withoutStack<E extends Error>(create: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return create();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** An application imports the catalogue, and must not change statuses or messages. */
function freezeRows<Reason extends string>(
  rows: Record<Reason, AuthErrorDefinition>,
): Readonly<Record<Reason, AuthErrorDefinition>> {
  for (const row of Object.values(rows)) Object.freeze(row);
  return Object.freeze(rows);
}
