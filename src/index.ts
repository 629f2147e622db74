// What an embedding app imports.
import './utils/node-version.ts';

export type { Accounts } from './accounts/accounts.ts';
export type { ClientInfo } from './accounts/deps.ts';
export type { Policy, PolicyInput } from './authorization/policies.ts';
export { type GuardOptions, useGuard } from './authorization/use-guard.ts';
export { type Bandha, type BandhaOptions, createBandha, createListener } from './bandha.ts';
export { type Config, loadConfig } from './config/config.ts';
export type { BandhaContext } from './context.ts';
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
export { directiveTypeDefs } from './graphql/base-schema.ts';
export type { SchemaExtension } from './graphql/create-schema.ts';
export { requirePrincipal } from './graphql/require-principal.ts';
export { type TokenAuthOptions, useTokenAuth } from './graphql/use-token-auth.ts';
export type { OperationLimits } from './http/limits/operation-limits.ts';
export type { BucketLimit, BucketName, RateLimitOptions } from './rate-limits/buckets.ts';
export type { Store } from './storage/store.ts';
export type { Authenticate, Authentication } from './tokens/authenticate.ts';
export { createPrincipal, type PrincipalInput } from './tokens/create-principal.ts';
export type { Principal } from './tokens/principal.ts';
export { createVerifier, type Verification, type Verifier, type VerifierOptions } from './tokens/verifier.ts';
export type { Log } from './utils/log.ts';
