// The keys of another issuer, fetched from its JWKS endpoint and kept by jose.
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer's keys could not be fetched. */
export class KeysUnavailableError extends Error {
  constructor(cause: unknown) {
    super('The keys to verify access tokens could not be fetched', { cause });
    this.name = 'KeysUnavailableError';
  }
}

/**
 * Finds keys in a JWK Set at a URL (RFC 7517, section 5); jose fetches it once for all who wait, and again when a
 * token names a key that it does not have.
 * @throws KeysUnavailableError from the returned function where the set cannot be had
 */
export function remoteKeys(url: URL): JWTVerifyGetKey {
  const findKey = createRemoteJWKSet(url);
  return async (header, token) => {
    try {
      return await findKey(header, token);
    } catch (error) {
      const isTokensFault =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported;
      throw isTokensFault ? error : new KeysUnavailableError(error);
    }
  };
}
