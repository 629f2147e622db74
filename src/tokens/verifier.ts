// Verifies access tokens: signature first, then claims; verified ones are cached, so that they cost a look-up.
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

/** What became of a presented token. */
export type Verification =
  | { principal: Principal; problem: undefined }
  | { principal: undefined; problem: TokenProblem };

/** Verifies the access tokens of one issuer. */
export interface Verifier {
  /** Never rejects: a token that cannot be verified is a problem, not an error. */
  verify(token: string): Promise<Verification>;
  /** The same of a token verified within ten minutes, or expired since; undefined where it has to be verified. */
  getCached(token: string): Verification | undefined;
  /** How many verified tokens are remembered. */
  readonly cachedTokens: number;
}

interface CachedToken {
  verification: Verification;
  expiresAtSeconds: number;
  /** Before then, by a clock that was put back, it is verified again too. */
  cachedAtSeconds: number;
  /** From then on it is verified again: its key may have been withdrawn. */
  cachedUntilSeconds: number;
}

/** What `createVerifier` leaves to its default, and a server that issues tokens itself does not. */
export interface VerifierInternals {
  report: ReportCause;
  /** Rejects tokens in which an optional claim is missing or not understood: Bandha never issues such a token. */
  isStrict: boolean;
}

/** Header parameters that bring or point to a key; a token that carries one is rejected (RFC 8725, section 3.10). */
const KEY_CARRYING_PARAMETERS = ['jku', 'jwk', 'x5u', 'x5c'] as const;
/** Bandha's own tokens take 1,600. */
const BYTES_PER_TOKEN = 2_000;
/** However few tokens are cached, the largest that Node accepts in a header fits. */
const MIN_CACHE_BYTES = 1_000_000;
/** A verified token is verified again after this time. */
const CACHED_SECONDS = 600;
const EXPIRED = rejected('TOKEN_EXPIRED');

/**
 * Builds a verifier for the tokens of one issuer. Its log has the cause of each rejected token.
 *
 * @throws ConfigError naming each option that is missing, unknown or not possible
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

/** The same without a check of the options. */
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
    // Issued in the future: by a clock that is wrong, or with a stolen key so as to outlive its retirement.
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
      // jose has required them, and that they are numbers.
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
      cache.delete(token); // what was accepted before is not accepted by a clock that is put back
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
