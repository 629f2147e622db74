// Signs access tokens in the JWT profile for OAuth 2.0 (RFC 9068).
import { SignJWT } from 'jose';
import type { Keyring } from './keys/keyring.ts';

export interface AccessTokenSubject {
  userId: string;
  sessionId: string;
  /** Generation of the refresh token that is issued together. @default 0: none is */
  generation?: number;
  roles: readonly string[];
  /** Time of the last sign-in; becomes `auth_time`. */
  authenticatedAt: Date;
}

export interface AccessTokenOptions {
  issuer: string;
  audience: string;
  accessTtlSeconds: number;
}

/** @returns a JWT with the claims `iss sub aud exp iat jti sid roles scope auth_time`; times in seconds since 1970 */
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
    .setJti(createTokenId(subject.generation ?? 0))
    .sign(privateKey);
}

const GENERATION_DIGITS = 12;
/** No session is refreshed this often: a larger number is the random end of an id that an older version created. */
const MAX_GENERATION = 1_000_000_000;

/**
 * Creates a random UUID whose last part is the generation. An access token in use thereby proves that the client has received
 * the refresh token of the same generation; see `createSuccessorUse`.
 */
function createTokenId(generation: number): string {
  const digits = generation.toString(16).padStart(GENERATION_DIGITS, '0').slice(-GENERATION_DIGITS);
  return crypto.randomUUID().slice(0, -GENERATION_DIGITS) + digits;
}

/** @returns the generation in a token's `jti`; undefined if `createTokenId` did not create it */
export function readGeneration(tokenId: unknown): number | undefined {
  const digits = typeof tokenId === 'string' ? /^[0-9a-f-]{24}([0-9a-f]{12})$/.exec(tokenId)?.[1] : undefined;
  const generation = digits === undefined ? undefined : Number.parseInt(digits, 16);
  return generation === undefined || generation > MAX_GENERATION ? undefined : generation;
}
