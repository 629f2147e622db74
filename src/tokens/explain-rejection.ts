// Converts an error of verification into the problem for the caller and the cause for the log.
import { errors, type JWTPayload } from 'jose';
import type { TokenProblem } from '../errors.ts';
import { JwksFetchError } from './keys/fetch-jwks.ts';
import { hasCode, KeysUnavailableError } from './keys/key-errors.ts';
import { describeType, describeValue, type TokenLogCause } from './token-log.ts';

/** Outcome for a token that is not accepted. */
export interface Rejection {
  problem: TokenProblem;
  cause: TokenLogCause;
  /** Fields for the log: expected and found values; never the token, its signature or another claim. */
  fields: object;
}

/** Options of the verifier that a token was checked against. */
export interface Expectations {
  issuer: string;
  audience: string | readonly string[];
  algorithms: readonly string[];
  type: string | null;
  nowSeconds: number;
}

/** Rejects a claim that jose has accepted. */
export class ClaimError extends Error {
  override readonly cause: TokenLogCause;
  readonly problem: TokenProblem;
  readonly fields: object;
  constructor(cause: TokenLogCause, fields: object, problem: TokenProblem = 'TOKEN_INVALID') {
    super('A claim is not accepted');
    this.name = 'ClaimError';
    this.cause = cause;
    this.problem = problem;
    this.fields = fields;
  }
}

/** @param token with the form of a JWS: three base64url parts, the first two of them JSON objects */
export function explainRejection(error: unknown, token: string, expected: Expectations): Rejection {
  const reject = (cause: TokenLogCause, fields: object = {}): Rejection => ({
    problem: 'TOKEN_INVALID',
    cause,
    fields,
  });
  if (error instanceof ClaimError) return error;
  if (error instanceof KeysUnavailableError) return explainKeys(error);
  if (error instanceof errors.JWTExpired) {
    return { problem: 'TOKEN_EXPIRED', cause: 'EXPIRED', fields: { exp: describeTime(error.payload.exp) } };
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return reject(...explainClaim(error, readHeader(token), expected));
  }
  const { alg, kid } = readHeader(token);
  const names = { alg: describeValue(alg), kid: describeValue(kid) };
  if (error instanceof errors.JWSSignatureVerificationFailed) return reject('SIGNATURE', names);
  if (hasCode(error, 'ERR_JWKS_NO_MATCHING_KEY')) return reject('KEY', { found: names });
  if (hasCode(error, 'ERR_JOSE_ALG_NOT_ALLOWED')) {
    return reject('ALGORITHM', { expected: expected.algorithms, found: names.alg });
  }
  const message = error instanceof Error ? describeValue(error.message) : 'unknown';
  if (error instanceof errors.JOSEError) return reject('HEADER', { reason: message });
  return reject('KEY_UNUSABLE', { ...names, reason: message });
}

function explainKeys({ cause }: KeysUnavailableError): Rejection {
  const problem = 'KEYS_UNAVAILABLE';
  // A failed fetch was logged with its URL already, once for all requests that waited for it.
  if (cause === undefined || cause instanceof JwksFetchError) {
    return { problem, cause: 'KEYS_UNAVAILABLE', fields: {} };
  }
  return { problem, cause: 'KEYS_UNREACHABLE', fields: { err: cause } };
}

function explainClaim(
  { claim, reason, payload }: errors.JWTClaimValidationFailed,
  header: Record<string, unknown>,
  expected: Expectations,
): [TokenLogCause, object] {
  const found = payload[claim];
  if (claim === 'typ') return ['TYPE', { expected: expected.type, found: describeValue(header.typ) }];
  if (claim === 'iss') {
    const isSlash = typeof found === 'string' && trimSlash(found) === trimSlash(expected.issuer);
    return [isSlash ? 'ISSUER_SLASH' : 'ISSUER', { expected: expected.issuer, found: describeValue(found) }];
  }
  if (claim === 'aud') return ['AUDIENCE', { expected: expected.audience, found: describeAudience(found) }];
  if (claim === 'nbf' && reason === 'check_failed') return explainTime('nbf', payload, expected.nowSeconds);
  return ['CLAIM', { claim, found: found === undefined ? 'absent' : describeType(found) }];
}

/** Explains a time in the future. */
export function explainTime(
  claim: 'nbf' | 'iat',
  payload: JWTPayload,
  nowSeconds: number,
): [TokenLogCause, object] {
  return ['NOT_YET_VALID', { claim, aheadSeconds: Math.ceil(Number(payload[claim]) - nowSeconds) }];
}

const MAX_AUDIENCES = 5;

function describeAudience(found: unknown): string | readonly string[] {
  return Array.isArray(found) ? found.slice(0, MAX_AUDIENCES).map(describeValue) : describeValue(found);
}

const trimSlash = (text: string) => (text.endsWith('/') ? text.slice(0, -1) : text);

/** @returns ISO 8601, or the type of a value that is not a time */
export function describeTime(seconds: unknown): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? describeType(seconds) : date.toISOString();
}

function readHeader(token: string): Record<string, unknown> {
  const [header = ''] = token.split('.', 1);
  return JSON.parse(Buffer.from(header, 'base64url').toString('utf8')); // an object: isCompactJws has checked that
}
