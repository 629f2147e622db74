// Verifies access tokens: first the signature, then the claims. Verified tokens are cached.
import { errors, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TokenProblem } from '../errors.ts';
import { consoleLog } from '../utils/log.ts';
import {
  ClaimError,
  describeTime,
  explainRejection,
  explainTime,
  type Rejection,
} from './explain-rejection.ts';
import { toKeyError } from './keys/key-errors.ts';
import { createKeyFinder } from './keys/key-resolver.ts';
import { type Principal, readPrincipal } from './principal.ts';
import { estimateTokenBytes } from './token-bytes.ts';
import { createTokenLog, describeType, type ReportCause } from './token-log.ts';
import {
  assertVerifierOptions,
  DEFAULT_MAX_AHEAD_SECONDS,
  DEFAULT_MAX_CACHED_TOKENS,
  type VerifierOptions,
} from './verifier-options.ts';
import { isCanonical, isCompactJws, verifyJwt } from './verify-jwt.ts';

export type { VerifierOptions } from './verifier-options.ts';

/** Outcome of verification: the caller, or the reason why the token is not accepted. */
export type Verification =
  | { principal: Principal; problem: undefined }
  | { principal: undefined; problem: TokenProblem };

/**
 * Verifies the access tokens of one issuer.
 *
 * @example const { principal, problem } = verifier.getCached(token) ?? (await verifier.verify(token))
 */
export interface Verifier {
  /**
   * Verifies a token (RFC 7519, section 7.2; RFC 9068, section 4), or returns it from the cache. Never rejects: an invalid token and
   * unavailable keys give a `problem`.
   */
  verify(token: string): Promise<Verification>;
  /**
   * Returns the outcome for a token that was verified at most ten minutes ago, or that has expired since, without a promise.
   *
   * @returns undefined if the token must be verified
   */
  getCached(token: string): Verification | undefined;
  /** Number of verified tokens in the cache. */
  readonly cachedTokens: number;
}

interface CachedToken {
  verification: Verification;
  expiresAtSeconds: number;
  /** If the clock is set back before this time, the token is verified again. */
  cachedAtSeconds: number;
  /** After this time the token is verified again, because its key may have been withdrawn. */
  cachedUntilSeconds: number;
}

/** Settings that are not options of `createVerifier`. */
export interface VerifierInternals {
  report: ReportCause;
  /** Rejects tokens without `sid` or with a claim of the wrong type: a server that issues its own tokens never issues such a token. */
  isStrict: boolean;
}

/** Header parameters with a key or the address of one. A token with such a parameter is rejected (RFC 8725, section 3.10). */
const KEY_CARRYING_PARAMETERS = ['jku', 'jwk', 'x5u', 'x5c'] as const;
/** Average size that the cache allows; Bandha's own tokens take 1,600 bytes. */
const BYTES_PER_TOKEN = 2_000;
/** Lets even a small cache hold the largest token that Node accepts in a header. */
const MIN_CACHE_BYTES = 1_000_000;
/** Time after which a cached token is verified again. */
const CACHED_SECONDS = 600;
const EXPIRED = rejected('TOKEN_EXPIRED');

/**
 * Creates a verifier for the access tokens of one issuer (RFC 7519, section 7.2; RFC 9068, section 4; RFC 8725). It logs the cause of
 * each rejection, and caches verified tokens.
 *
 * @throws {@link ConfigError} naming each option that is missing, unknown or invalid
 * @example
 * const verifier = createVerifier({
 *   issuer: 'https://login.example.com/',
 *   audience: 'my-api',
 *   algorithms: ['RS256'],
 *   keys: new URL('https://login.example.com/.well-known/jwks.json'),
 *   type: null,
 * });
 */
export function createVerifier(options: VerifierOptions): Verifier {
  assertVerifierOptions(options);
  const { log = consoleLog, issuer } = options;
  return buildVerifier(options, { report: createTokenLog(log, { issuer }), isStrict: false });
}

/** Creates a verifier without validating the options. */
export function buildVerifier(options: VerifierOptions, { report, isStrict }: VerifierInternals): Verifier {
  const { issuer, audience, algorithms = ['EdDSA'], type = 'at+jwt', now = () => new Date() } = options;
  const { maxAgeSeconds, clockToleranceSeconds = 0 } = options;
  const { maxAheadSeconds = options.clockToleranceSeconds ?? DEFAULT_MAX_AHEAD_SECONDS } = options;
  const keys = createKeyFinder(options, report);
  const { maxCachedTokens = DEFAULT_MAX_CACHED_TOKENS } = options;
  const cache = new LRUCache<string, CachedToken>({
    max: maxCachedTokens,
    maxSize: Math.max(MIN_CACHE_BYTES, maxCachedTokens * BYTES_PER_TOKEN),
    sizeCalculation: ({ verification }, token) =>
      verification.principal === undefined ? token.length : estimateTokenBytes(token, verification.principal),
  });
  const pending = new Map<string, Promise<Verification>>();

  const getKey: JWTVerifyGetKey = async (header, token) => {
    const carried = KEY_CARRYING_PARAMETERS.find((name) => name in header);
    if (carried !== undefined) throw new errors.JWSInvalid(`the header carries a key: ${carried}`);
    try {
      return await keys.find(header, token);
    } catch (error) {
      throw toKeyError(error);
    }
  };

  function reject(rejection: Rejection): Verification {
    report(rejection.cause, rejection.fields);
    return rejected(rejection.problem);
  }

  /** @throws ClaimError */
  function acceptPayload(payload: JWTPayload, nowSeconds: number): Principal {
    const read = readPrincipal(payload, nowSeconds + maxAheadSeconds);
    if (read === undefined) throw new ClaimError('CLAIM', { claim: 'sub', found: describeType(payload.sub) });
    const [ignored] = read.ignored;
    if (isStrict && (ignored !== undefined || read.principal.sessionId === '')) {
      throw new ClaimError('CLAIM', ignored ?? { claim: 'sid', found: 'absent' });
    }
    // A token from the future comes from a wrong clock, or from an attacker who wants it to outlive the retirement of a stolen key.
    if (payload.iat !== undefined && payload.iat > nowSeconds + maxAheadSeconds) {
      throw new ClaimError(...explainTime('iat', payload, nowSeconds));
    }
    for (const one of read.ignored) report('IGNORED_CLAIM', one);
    return read.principal;
  }

  async function verifyUncached(token: string): Promise<Verification> {
    if (!isCompactJws(token)) return reject({ problem: 'TOKEN_MALFORMED', cause: 'NOT_A_JWT', fields: {} });
    if (!isCanonical(token)) {
      return reject({ problem: 'TOKEN_INVALID', cause: 'SIGNATURE_ENCODING', fields: {} });
    }
    const nowSeconds = now().getTime() / 1000;
    try {
      const payload = await verifyJwt(token, getKey, {
        issuer,
        audience: typeof audience === 'string' ? audience : [...audience],
        algorithms: [...algorithms],
        ...(type !== null && { typ: type }),
        requiredClaims: maxAgeSeconds === undefined ? ['exp', 'sub'] : ['exp', 'iat', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: now(),
      });
      const principal = acceptPayload(payload, nowSeconds);
      // jose has checked that these claims exist and are numbers.
      const { exp, iat } = payload as { exp: number; iat: number };
      const oldAtSeconds = maxAgeSeconds === undefined ? Infinity : iat + maxAgeSeconds;
      if (now().getTime() >= oldAtSeconds * 1000) {
        throw new ClaimError('EXPIRED', { iat: describeTime(iat), maxAgeSeconds }, 'TOKEN_EXPIRED');
      }
      const verification: Verification = Object.freeze({ principal, problem: undefined }); // many requests share it
      cache.set(token, {
        verification,
        expiresAtSeconds: Math.min(exp + clockToleranceSeconds, oldAtSeconds),
        cachedAtSeconds: nowSeconds,
        cachedUntilSeconds: Math.min(now().getTime() / 1000 + CACHED_SECONDS, keys.usableUntilMs() / 1000),
      });
      return verification;
    } catch (error) {
      cache.delete(token); // a token accepted earlier is not accepted after the clock was set back
      return reject(explainRejection(error, token, { issuer, audience, algorithms, type, nowSeconds }));
    }
  }

  function getCached(token: string): Verification | undefined {
    const cached = cache.get(token);
    if (cached === undefined) return undefined;
    const nowSeconds = now().getTime() / 1000;
    if (nowSeconds >= cached.expiresAtSeconds) {
      report('EXPIRED', { exp: describeTime(cached.expiresAtSeconds) });
      return EXPIRED;
    }
    const isUsable = nowSeconds >= cached.cachedAtSeconds && nowSeconds < cached.cachedUntilSeconds;
    return isUsable ? cached.verification : undefined;
  }

  return {
    getCached,
    async verify(token) {
      const existing = getCached(token) ?? pending.get(token);
      if (existing !== undefined) return existing;
      const verification = verifyUncached(token).finally(() => pending.delete(token));
      pending.set(token, verification);
      return verification;
    },
    get cachedTokens() {
      return cache.size;
    },
  };
}

function rejected(problem: TokenProblem): Verification {
  return Object.freeze({ principal: undefined, problem });
}
