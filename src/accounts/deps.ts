// Types that the account functions share.
import type { Config } from '../config/config.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { Store } from '../storage/store.ts';
import type { Keyring } from '../tokens/keys/keyring.ts';
import type { Secrets } from '../tokens/secrets.ts';
import type { SuccessorUse } from '../tokens/successor-use.ts';

/** Dependencies of the account functions; none of HTTP or GraphQL. */
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
  /** Detects a stolen refresh token that is used after its successor. @default none: only the grace period detects it */
  successorUse?: Pick<SuccessorUse, 'firstUsedAt'>;
  /** Called when a refresh token is used for the second time: within the grace period (`REPEATED`) or after it (`REUSED`). */
  onRepeatedRefresh?: (outcome: 'REPEATED' | 'REUSED', sessionId: string) => void;
}

/**
 * The client that a request comes from.
 *
 * @example const client = { userAgent: request.headers['user-agent'], ipAddress: request.socket.remoteAddress }
 */
export interface ClientInfo {
  /** Shown in the user's session list; cut off after 512 characters. */
  userAgent: string | undefined;
  /**
   * IPv4 or IPv6 address of the client, not that of a proxy: the key of rate limits, and shown in the user's session list. If it
   * is undefined, limits by network do not apply, and all such clients count as one for the limits of an account.
   */
  ipAddress: string | undefined;
  /** True if many callers share the address, such as that of an untrusted proxy; turns off the limits by network. @default false */
  isShared?: boolean;
}
