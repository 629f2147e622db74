// Finds the key for a token's header, and tells a token that fits no key from keys that cannot be had.
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer's keys could not be had. */
export class KeysUnavailableError extends Error {
  constructor(cause?: unknown) {
    super('The keys to verify access tokens cannot be had', { cause });
    this.name = 'KeysUnavailableError';
  }
}

const TOKENS_FAULTS = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
  errors.JOSEAlgNotAllowed,
  errors.JWSInvalid,
];

/** How long a fetch may take: whoever sends a token waits for it, also for a public field. */
const FETCH_WITHIN_MS = 2_000;
/** After a fetch that took too long, nobody waits for another one this long. */
const BACK_OFF_MS = 2_000;

/**
 * @param keys where a JWK Set is published (RFC 7517, section 5), or a look-up of one's own
 * @throws KeysUnavailableError from the returned function where the keys cannot be had, and jose's errors where the
 *   token's header fits none of them
 */
export function createKeyFinder(keys: URL | JWTVerifyGetKey): JWTVerifyGetKey {
  const findKey = keys instanceof URL ? remoteKeys(keys) : keys;
  return async (header, token) => {
    try {
      return await findKey(header, token);
    } catch (error) {
      throw TOKENS_FAULTS.some((fault) => error instanceof fault) ? error : new KeysUnavailableError(error);
    }
  };
}

/** jose fetches once for all who wait; where that fails, the keys it had last go on being used. */
function remoteKeys(url: URL): JWTVerifyGetKey {
  const findRemote = createRemoteJWKSet(url, { timeoutDuration: FETCH_WITHIN_MS });
  let triesAgainAt = 0;

  return async (header, token) => {
    const isBackingOff = performance.now() < triesAgainAt;
    try {
      if (isBackingOff) throw new KeysUnavailableError();
      return await findRemote(header, token);
    } catch (error) {
      if (TOKENS_FAULTS.some((fault) => error instanceof fault)) throw error;
      if (error instanceof errors.JWKSTimeout) triesAgainAt = performance.now() + BACK_OFF_MS;
      const known = findRemote.jwks();
      if (known === undefined) throw error;
      return createLocalJWKSet(known)(header, token);
    }
  };
}
