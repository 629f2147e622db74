// The options of a verifier, and what they must be.
import type { JWTVerifyGetKey } from 'jose';
import { ConfigError } from '../errors.ts';
import { CLOCK_RULE, isClock } from '../utils/clock.ts';
import { LOG_METHODS, type Log } from '../utils/log.ts';
import {
  isVerificationAlgorithm,
  VERIFICATION_ALGORITHMS,
  type VerificationAlgorithm,
} from './algorithms.ts';

/** Options of {@link createVerifier}. */
export interface VerifierOptions {
  /** The exact `iss` of the tokens (RFC 9068, section 4), with or without a trailing slash as the issuer writes it. */
  issuer: string;
  /** The `aud` that a token must have: this one, or one of these. */
  audience: string | readonly string[];
  /**
   * The JWS algorithms that a token may have: `EdDSA`, `Ed25519`, `ES256`, `ES384`, `ES512`, `RS256`, `RS384`, `RS512`,
   * `PS256`, `PS384`, `PS512`, `ML-DSA-44`, `ML-DSA-65`, `ML-DSA-87`. Each stands for itself, `EdDSA` and `Ed25519` too.
   * @default ['EdDSA']
   */
  algorithms?: readonly VerificationAlgorithm[];
  /**
   * The issuer's JWK Set (RFC 7517), `https:`, or `http:` on a loopback host; or a function that finds the key for a token's
   * header. Redirects are not followed.
   */
  keys: URL | JWTVerifyGetKey;
  /** The header's `typ`; `null` accepts any, for issuers that do not follow RFC 9068. @default 'at+jwt' */
  type?: string | null;
  /**
   * Difference between the clocks of issuer and verifier to allow for in `exp`, `nbf` and `iat`, from 0 to 300.
   * @default 0 for `exp` and `nbf`, 5 for `iat`
   */
  clockToleranceSeconds?: number;
  /**
   * How long keys of a URL are used if they cannot be refreshed, in seconds. After that, requests that need a token get
   * `KEYS_UNAVAILABLE`. @default 86400, a day
   */
  maxKeyAgeSeconds?: number;
  /** A token issued (`iat`) longer ago counts as expired, whatever its `exp`. @default no limit */
  maxAgeSeconds?: number;
  /**
   * How many seconds `iat` and `auth_time` may be ahead of the clock. Beyond that the token is `TOKEN_INVALID`, or its `auth_time`
   * ignored.
   * @default clockToleranceSeconds; 5 if that is not given, as a token may arrive within the second in which it was issued
   */
  maxAheadSeconds?: number;
  /**
   * Maximum number of verified tokens in the cache. Their bytes are limited to 2,000 for each: larger tokens take the place
   * of several.
   * @default 100000
   */
  maxCachedTokens?: number;
  /** Gets the cause of each rejected token, limited in rate. @default warnings go to the console */
  log?: Pick<Log, 'debug' | 'warn'>;
  /** The clock. @default the system's */
  now?: () => Date;
}

export const MAX_CLOCK_TOLERANCE_SECONDS = 300;
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
  issuer: { isRequired: true, isValid: isText, rule: 'be a string that is not empty' },
  audience: {
    isRequired: true,
    isValid: (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
    rule: 'be a string that is not empty, or a list of them',
  },
  algorithms: {
    isValid: (value) => Array.isArray(value) && value.length > 0 && value.every(isVerificationAlgorithm),
    rule: `be a list of some of ${VERIFICATION_ALGORITHMS.join(', ')}; a symmetric algorithm such as HS256, and none, are not possible`,
  },
  keys: { isRequired: true, isValid: (value) => isFunction(value) || isKeysUrl(value), rule: KEYS_RULE },
  type: {
    isValid: (value) => value === null || isText(value),
    rule: 'be a string that is not empty, or null for any',
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
      const log = (value ?? {}) as Partial<Record<keyof Log, unknown>>; // whatever was passed: two methods are looked at
      return isFunction(log.debug) && isFunction(log.warn);
    },
    rule: `have the methods debug and warn, as a pino logger has (${LOG_METHODS.join(', ')})`,
  },
  now: { isValid: isClock, rule: CLOCK_RULE },
};

/**
 * Checks every option, so that a misspelt one, or one of a later version, does not silently leave a check out.
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
    const value = options[name as keyof VerifierOptions]; // CHECKS has these keys alone
    if (value === undefined && !isRequired) continue;
    if (value === undefined) issues.push(`${name}: is required; must ${rule}`);
    else if (!isValid(value)) issues.push(`${name}: must ${rule}`);
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/** Over plain HTTP anyone on the way could put in keys of their own. */
function isKeysUrl(value: unknown): boolean {
  if (!(value instanceof URL) || value.username !== '' || value.password !== '') return false;
  return value.protocol === 'https:' || (value.protocol === 'http:' && isLoopback(value.hostname));
}

/** A URL's host name, which is in lower case and has IPv4 addresses as four numbers. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') || // RFC 6761, section 6.3
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
