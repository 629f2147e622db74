// Checks the form of a JWT, and verifies it with each key that matches its header.
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { hasCode, KeysUnavailableError } from './keys/key-errors.ts';

/** Maximum keys to try for one token if several match its header. */
const MAX_CANDIDATE_KEYS = 10;

/**
 * Verifies with each key that matches the token's header: a JWK Set may contain a key twice, keys without `kid`, or two keys with
 * the same `kid`.
 */
export async function verifyJwt(
  token: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, getKey, options)).payload;
  } catch (error) {
    if (!hasCode(error, 'ERR_JWKS_MULTIPLE_MATCHING_KEYS')) throw error;
    const candidates = error as errors.JWKSMultipleMatchingKeys; // the class of this code
    let failure: unknown = new KeysUnavailableError(error); // if no key can be imported
    let count = 0;
    for await (const key of candidates) {
      count += 1;
      if (count > MAX_CANDIDATE_KEYS) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (attempt) {
        // A key that cannot be used, such as one that is too short, does not prevent trying the others.
        const isAboutKey =
          attempt instanceof errors.JWSSignatureVerificationFailed || !(attempt instanceof errors.JOSEError);
        if (!isAboutKey) throw attempt;
        failure = attempt;
      }
    }
    throw failure;
  }
}

/** @returns whether the token has three base64url parts, the first two of them JSON objects (RFC 7515, section 7.1; RFC 7519, section 7.2) */
export function isCompactJws(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every((part) => /^[\w-]*$/.test(part)) &&
    parts.slice(0, 2).every(isJsonObject)
  );
}

/**
 * Accepts only one spelling of a signature. Decoders ignore the unused bits of the last character, so that one token would
 * otherwise have several cache entries.
 */
export function isCanonical(token: string): boolean {
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
