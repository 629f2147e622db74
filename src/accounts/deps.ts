// Dependencies of the account functions.
import type { Config } from '../config/config.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { Store } from '../storage/store.ts';
import type { Keyring } from '../tokens/keys/keyring.ts';
import type { Secrets } from '../tokens/secrets.ts';
import type { SuccessorUse } from '../tokens/successor-use.ts';

/** What the use cases need; they know nothing of HTTP or GraphQL. */
export interface AccountDeps {
  store: Store;
  passwords: PasswordHasher;
  limits: RateLimits;
  keyring: Keyring;
  secrets: Secrets;
  config: Pick<
    Config,
    | 'issuer'
    | 'audience'
    | 'accessTtlSeconds'
    | 'sessionTtlSeconds'
    | 'sessionIdleSeconds'
    | 'refreshGraceSeconds'
  >;
  now: () => Date;
  /** Detects copies of refresh tokens that come after their successor was used. @default none */
  successorUse?: Pick<SuccessorUse, 'firstUsedAt'>;
  /** Called when a refresh token that was used before is presented again. */
  onRepeatedRefresh?: (outcome: 'REPEATED' | 'REUSED', sessionId: string) => void;
}

/** Where a request comes from, as far as it is known; shown to the account's owner. */
export interface ClientInfo {
  /** The `User-Agent` header. */
  userAgent: string | undefined;
  /** The network address, which is also the key of the rate limits. */
  ipAddress: string | undefined;
  /** True if many callers may share the address, such as that of a proxy that is not trusted: no limits by network. @default false */
  isShared?: boolean;
}
