// The form of a token, and its verification with each key that may be the right one.
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { hasCode, KeysUnavailableError } from './keys/key-errors.ts';

/** Keys that are tried for one token, if several match its header. */
const MAX_CANDIDATE_KEYS = 10;

/**
 * Verifies with each key that matches the token's header: a JWK Set may have one key twice, keys without `kid`, or two with the
 * same one.
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
    const candidates = error as errors.JWKSMultipleMatchingKeys; // by its code
    let failure: unknown = new KeysUnavailableError(error); // stays if none of them can be imported
    let count = 0;
    for await (const key of candidates) {
      count += 1;
      if (count > MAX_CANDIDATE_KEYS) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (attempt) {
        // A key that cannot be used, as one that is too short, leaves the others to try.
        const isAboutKey =
          attempt instanceof errors.JWSSignatureVerificationFailed || !(attempt instanceof errors.JOSEError);
        if (!isAboutKey) throw attempt;
        failure = attempt;
      }
    }
    throw failure;
  }
}

/** Three base64url parts, the first two of them JSON objects (RFC 7515, section 7.1; RFC 7519, section 7.2). */
export function isCompactJws(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every((part) => /^[\w-]*$/.test(part)) &&
    parts.slice(0, 2).every(isJsonObject)
  );
}

/** One spelling only, or one token could fill the cache: decoders overlook the spare bits of the last character. */
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
