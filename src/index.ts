// The public API of the package `bandha`.
import './utils/node-version.ts';

// The server, and its parts for a Yoga server of your own

export type { Accounts } from './accounts/accounts.ts';
export type { ClientInfo } from './accounts/deps.ts';
export type { Registration } from './accounts/registration.ts';
export type { IssuedTokens } from './accounts/sessions.ts';
export { type Bandha, type BandhaOptions, createBandha, createListener } from './bandha.ts';
export type { Config, LogLevel } from './config/config.ts';
export { loadConfig } from './config/env.ts';
export type { AppResolvers, SchemaExtension } from './graphql/create-schema.ts';
export type { ListenerOptions } from './http/fast-path/listener.ts';
export type { OperationLimits } from './http/limits/operation-limits.ts';
export type { AnyYoga, CorsOptions } from './http/yoga-internals.ts';
export type { BucketLimit, BucketName, RateLimitOptions } from './rate-limits/buckets.ts';
export type { Log } from './utils/log.ts';

// The guard: `@auth` in a schema of your own

export type { GuardOptions } from './authorization/guard-options.ts';
export type { Policy, PolicyInput } from './authorization/policies.ts';
export type { WatchSession } from './authorization/subscriptions.ts';
export { useGuard } from './authorization/use-guard.ts';
export type { BandhaContext } from './context.ts';
export { directiveTypeDefs } from './graphql/base-schema.ts';
export { requirePrincipal } from './graphql/require-principal.ts';
export { createPrincipal, type PrincipalInput } from './tokens/create-principal.ts';
export type { Principal } from './tokens/principal.ts';

// Verification of access tokens, also those of other issuers

export { type TokenAuthOptions, useTokenAuth } from './graphql/use-token-auth.ts';
export type { SigningAlgorithm, VerificationAlgorithm } from './tokens/algorithms.ts';
export type { Authenticate, Authentication, RequestHeaders } from './tokens/authenticate.ts';
export { createVerifier, type Verification, type Verifier, type VerifierOptions } from './tokens/verifier.ts';

// Errors

export {
  AUTH_ERRORS,
  AuthError,
  type AuthErrorDefinition,
  type AuthErrorDetails,
  type AuthErrorReason,
  ConfigError,
  type ErrorCode,
  type TokenProblem,
} from './errors.ts';

// The store: what the server reads from the database and writes to it

export type { RotationRequest } from './sessions/refresh-policy.ts';
export type { Session } from './sessions/session.ts';
export type {
  FeedEvent,
  NewUser,
  RevokingChange,
  Rotation,
  SessionStatus,
  SignInCredentials,
  SigningKeyRow,
  SigningKeyStatus,
  Store,
  User,
  UserCredentials,
} from './storage/store.ts';
