// Signs access tokens in the JWT profile for OAuth 2.0 (RFC 9068).
import { SignJWT } from 'jose';
import type { Keyring } from './keyring.ts';

export interface AccessTokenSubject {
  userId: string;
  sessionId: string;
  roles: readonly string[];
  /** When the person last proved who they are. */
  authenticatedAt: Date;
}

export interface AccessTokenOptions {
  issuer: string;
  audience: string;
  accessTtlSeconds: number;
}

/** Signs a token with the claims `iss sub aud exp iat jti sid roles scope auth_time`, times in seconds. */
export function signAccessToken(
  subject: AccessTokenSubject,
  keyring: Keyring,
  { issuer, audience, accessTtlSeconds }: AccessTokenOptions,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const { kid, algorithm, privateKey } = keyring.current;
  return new SignJWT({
    sid: subject.sessionId,
    roles: subject.roles,
    scope: '',
    auth_time: Math.floor(subject.authenticatedAt.getTime() / 1000),
  })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setSubject(subject.userId)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTtlSeconds)
    .setJti(crypto.randomUUID())
    .sign(privateKey);
}
