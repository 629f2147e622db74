// Who is asking: what a verified access token says, in the shape the guard and the resolvers use.
import type { JWTPayload } from 'jose';

/** The caller; `context.principal`. Read-only: the requests of a token share it. */
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
  // Frozen all through: the requests of a token share it, and what one of them gave itself, all would have.
  return Object.freeze({
    userId: sub,
    sessionId: sid,
    roles: createFrozenSet(roles),
    scopes: createFrozenSet(scope.split(' ').filter(Boolean)),
    get authenticatedAt() {
      return new Date(auth_time * 1000);
    },
    claims: freezeAll(claims),
  });
}

function createFrozenSet(values: readonly string[]): ReadonlySet<string> {
  const set = new Set(values);
  const refuse = () => {
    throw new TypeError('A principal cannot be changed');
  };
  for (const name of ['add', 'delete', 'clear']) Object.defineProperty(set, name, { value: refuse });
  return set;
}

function freezeAll<T>(json: T): T {
  if (typeof json !== 'object' || json === null) return json;
  for (const value of Object.values(json)) freezeAll(value);
  return Object.freeze(json);
}
