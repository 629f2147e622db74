// Finds the caller of a bearer token as in jose's documentation; null without a valid token.
import { importJWK, jwtVerify } from 'jose';

export async function createTokenCheck({ publicJwk, issuer, audience }) {
  const key = await importJWK(publicJwk, 'EdDSA');
  return async (authorization) => {
    if (!authorization?.startsWith('Bearer ')) return null;
    try {
      const { payload } = await jwtVerify(authorization.slice(7), key, {
        issuer,
        audience,
        algorithms: ['EdDSA'],
        typ: 'at+jwt',
      });
      return { id: payload.sub };
    } catch {
      return null;
    }
  };
}
