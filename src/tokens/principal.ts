// Who is asking: what a verified access token says, in the shape the guard and the resolvers use.
import type { JWTPayload } from 'jose';

/** The caller; `context.principal`. */
export interface Principal {
  userId: string;
  /** Empty where the issuer's tokens carry no `sid`. */
  sessionId: string;
  roles: ReadonlySet<string>;
  scopes: ReadonlySet<string>;
  /** When the caller last proved who they are: `auth_time`. Where the token does not say, 1970: never recent enough. */
  authenticatedAt: Date;
  /** Every claim of the token (RFC 7519, section 4). */
  claims: JWTPayload;
}

/**
 * Reads a principal from verified claims. `roles` is a list of strings, `scope` a space-separated string (RFC 9068,
 * section 2.2.3).
 * @returns undefined where a claim has the wrong type, or `sub` is missing
 */
export function parsePrincipal(claims: JWTPayload): Principal | undefined {
  const { sub, sid = '', roles = [], scope = '', auth_time = 0 } = claims;
  if (typeof sub !== 'string' || sub === '' || typeof sid !== 'string') return undefined;
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) return undefined;
  if (typeof scope !== 'string' || typeof auth_time !== 'number') return undefined;
  return {
    userId: sub,
    sessionId: sid,
    roles: new Set(roles),
    scopes: new Set(scope.split(' ').filter(Boolean)),
    authenticatedAt: new Date(auth_time * 1000),
    claims,
  };
}
