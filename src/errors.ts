// The closed set of refusals, and the one mapping from a refusal to what a caller receives.
import { type ASTNode, GraphQLError } from 'graphql';

/** A mistake in the configuration or in calling Bandha, found at start. `faults` has one line each. */
export class ConfigError extends Error {
  readonly issues: readonly string[];
  constructor(issues: readonly string[]) {
    super(issues.join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'SERVICE_UNAVAILABLE'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_REFRESH_TOKEN'
  | 'BAD_USER_INPUT'
  | 'RATE_LIMITED'
  | 'PERSISTED_QUERY_NOT_SUPPORTED';

/** Details that some refusals carry beside their code. */
export interface AuthErrorDetails {
  /** The schema coordinate of the refused field, such as `Query.secureData`. */
  coordinate?: string;
  /** What the caller must bring, space separated, for `MISSING_SCOPE` (RFC 6750, section 3). */
  scope?: string;
  /** Seconds, for `REAUTHENTICATION_REQUIRED` (RFC 9470, section 3). */
  maxAge?: number;
  /** Whole seconds after which trying again makes sense (RFC 9110, section 10.2.3). */
  retryAfterSeconds?: number;
}

interface AuthErrorDefinition {
  code: ErrorCode;
  /** The HTTP status when the refusal ends the whole request; 200 where GraphQL's own answer is enough. */
  status: number;
  message: string;
  /** Whether clients compare the message, so that it is sent as it is. @default false */
  isMessageCompared?: boolean;
  /** The attributes of the Bearer challenge after the realm (RFC 6750, section 3); absent: no challenge. */
  challenge?: (details: AuthErrorDetails, message: string) => string;
}

const bareChallenge = () => '';
const invalidToken = (_: AuthErrorDetails, message: string) =>
  `, error="invalid_token", error_description="${message}"`;

/** One row a refusal, by its reason, or by its code where it has no reason. */
const AUTH_ERRORS = {
  MISSING_TOKEN: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'Sign in first: no bearer token was sent',
    challenge: bareChallenge,
  },
  TOKEN_MALFORMED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The bearer token is not a JWT',
    challenge: invalidToken,
  },
  TOKEN_EXPIRED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The access token has expired',
    challenge: invalidToken,
  },
  TOKEN_INVALID: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The access token is not valid here',
    challenge: invalidToken,
  },
  TOKEN_REVOKED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'The session of the access token has ended',
    challenge: invalidToken,
  },
  REAUTHENTICATION_REQUIRED: {
    code: 'UNAUTHENTICATED',
    status: 401,
    message: 'Sign in again: this needs a more recent sign-in',
    challenge: ({ maxAge }) => `, error="insufficient_user_authentication", max_age="${maxAge}"`,
  },
  MISSING_ROLE: {
    code: 'FORBIDDEN',
    status: 403,
    message: 'The caller does not have a role that this needs',
  },
  MISSING_SCOPE: {
    code: 'FORBIDDEN',
    status: 403,
    message: 'The access token does not have a scope that this needs',
    challenge: ({ scope }) => `, error="insufficient_scope", scope="${scope}"`,
  },
  POLICY_DENIED: { code: 'FORBIDDEN', status: 403, message: 'A policy does not allow this' },
  KEYS_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'The keys to verify access tokens cannot be had at the moment',
  },
  REVOCATIONS_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'Whether the session has ended cannot be found out at the moment',
  },
  STORE_UNAVAILABLE: {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    message: 'The database cannot be reached at the moment',
  },
  INVALID_CREDENTIALS: {
    code: 'INVALID_CREDENTIALS',
    status: 200,
    message: 'The email or the password is wrong',
  },
  EXPIRED: { code: 'INVALID_REFRESH_TOKEN', status: 200, message: 'The session has expired' },
  REUSED: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'The refresh token was used before, so its session has been ended',
  },
  REVOKED: { code: 'INVALID_REFRESH_TOKEN', status: 200, message: 'The session has been ended' },
  UNKNOWN: {
    code: 'INVALID_REFRESH_TOKEN',
    status: 200,
    message: 'This is not a refresh token of a session here',
  },
  EMAIL_TAKEN: { code: 'BAD_USER_INPUT', status: 200, message: 'There is an account with this email' },
  WEAK_PASSWORD: { code: 'BAD_USER_INPUT', status: 200, message: 'The password is too weak' },
  INVALID_EMAIL: { code: 'BAD_USER_INPUT', status: 200, message: 'This is not an email address' },
  INVALID_VALUE: { code: 'BAD_USER_INPUT', status: 200, message: 'A value has a wrong length or form' },
  RATE_LIMITED: { code: 'RATE_LIMITED', status: 429, message: 'Too many attempts; try again later' },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    code: 'PERSISTED_QUERY_NOT_SUPPORTED',
    status: 200,
    message: 'PersistedQueryNotSupported',
    isMessageCompared: true,
  },
} satisfies Record<string, AuthErrorDefinition>;

/** Why a request was refused: a row of the README's table of errors. */
export type AuthErrorReason = keyof typeof AUTH_ERRORS;

/** Why a presented token was not accepted; `context.tokenProblem`. */
export type TokenProblem =
  | 'TOKEN_MALFORMED'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_INVALID'
  | 'TOKEN_REVOKED'
  | 'KEYS_UNAVAILABLE'
  | 'REVOCATIONS_UNAVAILABLE';

/** A refusal: thrown by accounts, tokens and guard; `toGraphQLError` alone turns it into an answer. */
export class AuthError extends Error {
  readonly reason: AuthErrorReason;
  readonly details: AuthErrorDetails;
  /** @param message replaces the reason's own message; never contains a secret or what the caller sent */
  constructor(
    reason: AuthErrorReason,
    details: AuthErrorDetails = {},
    message?: string,
    options?: { cause: unknown },
  ) {
    super(message ?? AUTH_ERRORS[reason].message, options);
    this.name = 'AuthError';
    this.reason = reason;
    this.details = details;
  }
}

/** The refusal that `error` is or wraps, if any. */
export function findAuthError(error: unknown): AuthError | undefined {
  let cause = error;
  while (cause instanceof GraphQLError) cause = cause.originalError;
  return cause instanceof AuthError ? cause : undefined;
}

/** Where in the operation a refusal belongs. */
export interface ErrorLocation {
  nodes?: readonly ASTNode[] | undefined;
  path?: readonly (string | number)[] | undefined;
}

/**
 * The GraphQL error for a refusal, with `extensions.code`, `reason` and `coordinate`.
 * @param endsRequest whether nothing else is delivered; only then the error sets the HTTP status and headers
 */
export function toGraphQLError(error: AuthError, place: ErrorLocation, endsRequest: boolean): GraphQLError {
  const { reason, details, message } = error;
  const refusal: AuthErrorDefinition = AUTH_ERRORS[reason];
  const sentence = details.coordinate ? `${message} (${details.coordinate}).` : `${message}.`;
  return new GraphQLError(refusal.isMessageCompared ? message : sentence, {
    nodes: place.nodes,
    path: place.path,
    extensions: {
      code: refusal.code,
      ...(reason !== refusal.code && { reason }),
      ...(details.coordinate && { coordinate: details.coordinate }),
      // Yoga reads `http` and leaves it out of the body.
      ...(endsRequest && refusal.status !== 200 && { http: httpExtensions(refusal, error) }),
    },
  });
}

const DEFAULT_RETRY_AFTER_SECONDS = 5;

function httpExtensions(refusal: AuthErrorDefinition, { details, message }: AuthError) {
  const headers: Record<string, string> = {};
  if (refusal.challenge) {
    headers['WWW-Authenticate'] = `Bearer realm="bandha"${refusal.challenge(details, message)}`;
  }
  if (refusal.status === 429 || refusal.status === 503) {
    headers['Retry-After'] = String(details.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS);
  }
  return { status: refusal.status, headers };
}

/** Makes an error without the cost of its stack, which a refusal has no use for. */
export function withoutStack<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
