// Verifies access tokens: signature first, then claims; verified ones are remembered, so that they cost a look-up.
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TokenProblem } from '../errors.ts';
import { ConfigError } from '../errors.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts';
import { createKeyFinder, KeysUnavailableError } from './find-key.ts';
import { type Principal, parsePrincipal } from './principal.ts';
import { tokenBytes } from './token-bytes.ts';

export interface VerifierOptions {
  /** The exact `iss` (RFC 9068, section 4). */
  issuer: string;
  /** The `aud` that must be among the token's. */
  audience: string;
  /** Default: `['EdDSA']`. */
  algorithms?: readonly SigningAlgorithm[];
  /** Where the issuer publishes its keys (RFC 7517), or a function that finds the key for a token's header. */
  keys: URL | JWTVerifyGetKey;
  /** The header's `typ`; default `at+jwt`. `null` accepts any, for issuers that do not follow RFC 9068. */
  type?: string | null;
  /** How far apart the clocks of issuer and verifier may be, at most 5 seconds; default 0. */
  clockToleranceSeconds?: number;
  /** A token that was issued (`iat`) longer ago counts as expired, whatever its `exp`; default: none does. */
  maxAgeSeconds?: number;
  /** How far `iat` may be ahead of the clock. A token beyond that is `TOKEN_INVALID`. @default clockToleranceSeconds */
  maxAheadSeconds?: number;
  /**
   * Maximum number of verified tokens in the cache. Their bytes are limited to 2,000 for each: larger tokens take the place
   * of several.
   * @default 100,000
   */
  maxCachedTokens?: number;
  now?: () => Date;
}

/** What became of a presented token. */
export type Verification =
  | { principal: Principal; problem: undefined }
  | { principal: undefined; problem: TokenProblem };

export interface Verifier {
  /** Never rejects: a token that cannot be verified is a problem, not an error. */
  verify(token: string): Promise<Verification>;
  /** The same of a token verified within ten minutes, or expired since; undefined where it has to be verified. */
  recall(token: string): Verification | undefined;
  /** How many verified tokens are remembered. */
  readonly cachedTokens: number;
}

interface CachedToken {
  verification: Verification;
  expiresAtSeconds: number;
  /** From then on it is verified anew: its key may have been withdrawn. */
  rememberedUntilSeconds: number;
}

/** Header parameters that bring or point to a key; a token that carries one is refused (RFC 8725, section 3.10). */
const KEY_CARRYING_PARAMETERS = ['jku', 'jwk', 'x5u', 'x5c'] as const;
const MAX_CLOCK_TOLERANCE_SECONDS = 5;
const DEFAULT_MAX_CACHED_TOKENS = 100_000;
/** Bandha's own tokens take 1,600. */
const BYTES_PER_TOKEN = 2_000;
/** However few tokens are cached, the largest that Node accepts in a header fits. */
const MIN_CACHE_BYTES = 1_000_000;
/** As long as jose keeps a set of keys that it has fetched. */
const REMEMBERED_SECONDS = 600;
const EXPIRED = refused('TOKEN_EXPIRED');

/**
 * Builds a verifier for the tokens of one issuer.
 * @throws ConfigError where issuer or audience is missing, an algorithm is not asymmetric, or the tolerance is over 5 s
 */
export function createVerifier(options: VerifierOptions): Verifier {
  assertOptions(options);
  const { issuer, audience, algorithms = ['EdDSA'], type = 'at+jwt', now = () => new Date() } = options;
  const { maxAgeSeconds, clockToleranceSeconds = 0 } = options;
  const { maxAheadSeconds = clockToleranceSeconds } = options;
  const findKey = createKeyFinder(options.keys);
  const { maxCachedTokens = DEFAULT_MAX_CACHED_TOKENS } = options;
  const cache = new LRUCache<string, CachedToken>({
    max: maxCachedTokens,
    maxSize: Math.max(MIN_CACHE_BYTES, maxCachedTokens * BYTES_PER_TOKEN),
    sizeCalculation: ({ verification }, token) =>
      verification.principal === undefined ? token.length : tokenBytes(token, verification.principal),
  });
  const underWay = new Map<string, Promise<Verification>>();

  const getKey: JWTVerifyGetKey = (header, token) => {
    if (KEY_CARRYING_PARAMETERS.some((name) => name in header)) throw new errors.JWSInvalid();
    return findKey(header, token);
  };

  async function verifyAfresh(token: string): Promise<Verification> {
    if (!isCompactJws(token)) return refused('TOKEN_MALFORMED');
    if (!isCanonical(token)) return refused('TOKEN_INVALID');
    try {
      const { payload } = await jwtVerify(token, getKey, {
        issuer,
        audience,
        algorithms: [...algorithms],
        ...(type !== null && { typ: type }),
        requiredClaims: maxAgeSeconds === undefined ? ['exp', 'sub'] : ['exp', 'iat', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: now(),
      });
      const principal = parsePrincipal(payload);
      if (principal === undefined) return refused('TOKEN_INVALID');
      // jose has demanded them, and that they are numbers.
      const { exp, iat } = payload as { exp: number; iat: number };
      // Issued in the future: by a clock that is wrong, or with a stolen key so as to outlive its retirement.
      if (iat > now().getTime() / 1000 + maxAheadSeconds) return refused('TOKEN_INVALID');
      const oldAtSeconds = maxAgeSeconds === undefined ? Infinity : iat + maxAgeSeconds;
      if (now().getTime() >= oldAtSeconds * 1000) return refused('TOKEN_EXPIRED');
      const verification: Verification = Object.freeze({ principal, problem: undefined }); // many requests share it
      cache.set(token, {
        verification,
        expiresAtSeconds: Math.min(exp + clockToleranceSeconds, oldAtSeconds),
        rememberedUntilSeconds: now().getTime() / 1000 + REMEMBERED_SECONDS,
      });
      return verification;
    } catch (error) {
      return refused(problemOf(error));
    }
  }

  function recall(token: string): Verification | undefined {
    const cached = cache.get(token);
    if (cached === undefined) return undefined;
    const nowSeconds = now().getTime() / 1000;
    if (nowSeconds >= cached.expiresAtSeconds) return EXPIRED;
    return nowSeconds < cached.rememberedUntilSeconds ? cached.verification : undefined;
  }

  return {
    recall,
    async verify(token) {
      const known = recall(token) ?? underWay.get(token);
      if (known !== undefined) return known;
      const verification = verifyAfresh(token).finally(() => underWay.delete(token));
      underWay.set(token, verification);
      return verification;
    },
    get cachedTokens() {
      return cache.size;
    },
  };
}

function refused(problem: TokenProblem): Verification {
  return Object.freeze({ principal: undefined, problem });
}

function problemOf(error: unknown): TokenProblem {
  if (error instanceof errors.JWTExpired) return 'TOKEN_EXPIRED';
  if (error instanceof KeysUnavailableError) return 'KEYS_UNAVAILABLE';
  return 'TOKEN_INVALID';
}

/** Three base64url parts, the first two of them JSON objects (RFC 7515, section 7.1; RFC 7519, section 7.2). */
function isCompactJws(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every((part) => /^[\w-]*$/.test(part)) &&
    parts.slice(0, 2).every(isJsonObject)
  );
}

/** One spelling only, or one token could fill the cache: decoders overlook the spare bits of the last character. */
function isCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

function isJsonObject(part: string): boolean {
  try {
    const json: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json);
  } catch {
    return false;
  }
}

function assertOptions(options: VerifierOptions): void {
  const { issuer, audience, algorithms = [], clockToleranceSeconds = 0 } = options;
  const faults: string[] = [];
  if (!issuer) faults.push('issuer: is required');
  if (!audience) faults.push('audience: is required');
  if (options.algorithms && (algorithms.length === 0 || !algorithms.every(isSigningAlgorithm))) {
    faults.push('algorithms: must be some of EdDSA, ES256, RS256');
  }
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= MAX_CLOCK_TOLERANCE_SECONDS)) {
    faults.push(`clockToleranceSeconds: must be from 0 to ${MAX_CLOCK_TOLERANCE_SECONDS}`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
}
