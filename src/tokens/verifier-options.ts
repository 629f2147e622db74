// Options of a verifier, and their validation.
import type { JWTVerifyGetKey } from 'jose';
import { ConfigError } from '../errors.ts';
import { CLOCK_RULE, isClock } from '../utils/clock.ts';
import { LOG_METHODS, type Log } from '../utils/log.ts';
import {
  isVerificationAlgorithm,
  VERIFICATION_ALGORITHMS,
  type VerificationAlgorithm,
} from './algorithms.ts';

/** Options of {@link createVerifier}. An unknown option is an error. */
export interface VerifierOptions {
  /** The `iss` of the tokens (RFC 9068, section 4). Compared exactly, including a trailing slash. */
  issuer: string;
  /** The `aud` that a token must contain (RFC 7519, section 4.1.3); one of them if it is a list. */
  audience: string | readonly string[];
  /**
   * JWS algorithms that a token may have (RFC 8725, section 3.1): `EdDSA`, `Ed25519`, `ES256`, `ES384`, `ES512`, `RS256`, `RS384`, `RS512`,
   * `PS256`, `PS384`, `PS512`, `ML-DSA-44`, `ML-DSA-65`, `ML-DSA-87`. Each name counts only for itself, even
   * `EdDSA` and `Ed25519`, which are the same algorithm.
   *
   * @default ['EdDSA']
   */
  algorithms?: readonly VerificationAlgorithm[];
  /**
   * URL of the issuer's JWK Set (RFC 7517, section 5), `https:`, or `http:` on a loopback host; redirects are not followed. Or a
   * function that finds the key for a token's header, such as jose's `createLocalJWKSet(jwks)`.
   */
  keys: URL | JWTVerifyGetKey;
  /** The `typ` of the header (RFC 9068, section 2.1); `null` accepts any, for issuers that do not follow RFC 9068. @default 'at+jwt' */
  type?: string | null;
  /**
   * Seconds that the clocks of issuer and verifier may differ, for `exp`, `nbf` and `iat`; from 0 to 300.
   *
   * @default 0 for `exp` and `nbf`, 5 for `iat`
   */
  clockToleranceSeconds?: number;
  /**
   * Seconds to use keys from a URL while they cannot be refreshed. After that, tokens fail with `KEYS_UNAVAILABLE`.
   *
   * @default 86400, 1 day
   */
  maxKeyAgeSeconds?: number;
  /** Seconds since `iat` after which a token counts as expired, regardless of `exp`. @default no limit */
  maxAgeSeconds?: number;
  /**
   * Seconds that `iat` and `auth_time` may be ahead of the clock. A later `iat` gives `TOKEN_INVALID`; a later `auth_time` is ignored.
   *
   * @default clockToleranceSeconds if it is set, else 5: a token may arrive within the second in which it was issued
   */
  maxAheadSeconds?: number;
  /**
   * Maximum number of verified tokens in the cache. The cache is also limited to 2,000 bytes times this number: larger tokens count
   * as several.
   *
   * @default 100000
   */
  maxCachedTokens?: number;
  /** Receives the cause of each rejected token, at a limited rate. @default warnings go to the console */
  log?: Pick<Log, 'debug' | 'warn'>;
  /** The clock. @default the system clock */
  now?: () => Date;
}

const MAX_CLOCK_TOLERANCE_SECONDS = 300;
export const DEFAULT_MAX_AHEAD_SECONDS = 5;
export const DEFAULT_MAX_KEY_AGE_SECONDS = 24 * 60 * 60;
const MAX_KEY_AGE_LIMIT_SECONDS = 365 * 24 * 60 * 60;
export const DEFAULT_MAX_CACHED_TOKENS = 100_000;
const MAX_CACHED_TOKENS_LIMIT = 10_000_000;

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isFunction = (value: unknown) => typeof value === 'function';
const isBetween = (value: unknown, min: number, max: number) =>
  typeof value === 'number' && value >= min && value <= max;

interface OptionCheck {
  isRequired?: true;
  isValid(value: unknown): boolean;
  /** The rule, as in `must be …`. */
  rule: string;
}

const KEYS_RULE =
  'be a URL object with https:, or http: on a loopback host, without credentials; or a function';

const CHECKS: Readonly<Record<keyof VerifierOptions, OptionCheck>> = {
  issuer: { isRequired: true, isValid: isText, rule: 'be a non-empty string' },
  audience: {
    isRequired: true,
    isValid: (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
    rule: 'be a non-empty string or a list of them',
  },
  algorithms: {
    isValid: (value) => Array.isArray(value) && value.length > 0 && value.every(isVerificationAlgorithm),
    rule: `be a list of some of ${VERIFICATION_ALGORITHMS.join(', ')}; symmetric algorithms such as HS256, and none, are not supported`,
  },
  keys: { isRequired: true, isValid: (value) => isFunction(value) || isKeysUrl(value), rule: KEYS_RULE },
  type: {
    isValid: (value) => value === null || isText(value),
    rule: 'be a non-empty string, or null to accept any',
  },
  clockToleranceSeconds: {
    isValid: (value) => isBetween(value, 0, MAX_CLOCK_TOLERANCE_SECONDS),
    rule: `be a number from 0 to ${MAX_CLOCK_TOLERANCE_SECONDS}`,
  },
  maxKeyAgeSeconds: {
    isValid: (value) => isBetween(value, 1, MAX_KEY_AGE_LIMIT_SECONDS),
    rule: `be a number from 1 to ${MAX_KEY_AGE_LIMIT_SECONDS}`,
  },
  maxAgeSeconds: {
    isValid: (value) => isBetween(value, 1, Number.MAX_SAFE_INTEGER),
    rule: 'be a number of at least 1',
  },
  maxAheadSeconds: {
    isValid: (value) => isBetween(value, 0, MAX_CLOCK_TOLERANCE_SECONDS),
    rule: `be a number from 0 to ${MAX_CLOCK_TOLERANCE_SECONDS}`,
  },
  maxCachedTokens: {
    isValid: (value) => Number.isInteger(value) && isBetween(value, 1, MAX_CACHED_TOKENS_LIMIT),
    rule: `be a whole number from 1 to ${MAX_CACHED_TOKENS_LIMIT}`,
  },
  log: {
    isValid: (value) => {
      const log = (value ?? {}) as Partial<Record<keyof Log, unknown>>; // any value: two of its properties are checked
      return isFunction(log.debug) && isFunction(log.warn);
    },
    rule: `have the methods debug and warn, as a pino logger has (${LOG_METHODS.join(', ')})`,
  },
  now: { isValid: isClock, rule: CLOCK_RULE },
};

/**
 * Validates every option. An unknown one is an error: it may be misspelt, or belong to a later version, and would otherwise silently
 * skip a check.
 *
 * @throws ConfigError naming each issue, without values
 */
export function assertVerifierOptions(options: VerifierOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(['createVerifier: the options must be an object']);
  }
  const issues = Object.keys(options)
    .filter((name) => !Object.hasOwn(CHECKS, name))
    .map((name) => `${name}: is not a known option`);
  for (const [name, { isRequired, isValid, rule }] of Object.entries(CHECKS)) {
    const value = options[name as keyof VerifierOptions]; // CHECKS has only these keys
    if (value === undefined && !isRequired) continue;
    if (value === undefined) issues.push(`${name}: is required; must ${rule}`);
    else if (!isValid(value)) issues.push(`${name}: must ${rule}`);
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/** Rejects HTTP except on loopback: an attacker on the network could replace the keys. */
function isKeysUrl(value: unknown): boolean {
  if (!(value instanceof URL) || value.username !== '' || value.password !== '') return false;
  return value.protocol === 'https:' || (value.protocol === 'http:' && isLoopback(value.hostname));
}

/** @param hostname of a URL, which is in lower case and has an IPv4 address as four numbers */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') || // RFC 6761, section 6.3
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
