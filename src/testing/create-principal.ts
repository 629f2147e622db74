// Creates a principal from a test's description, through the same parser as the claims of a token.
import type { JWTPayload } from 'jose';
import type { User } from '../storage/store.ts';
import { type Principal, parsePrincipal } from '../tokens/principal.ts';

/** Description of a signed-in user. All members are optional. */
export interface PrincipalSpec {
  /** Subject of the token. @default 'user' */
  userId?: string;
  /** Session of the token. @default 'session' */
  sessionId?: string;
  /** Roles of the user. @default [] */
  roles?: readonly string[] | ReadonlySet<string>;
  /** Scopes of the token. @default [] */
  scopes?: readonly string[] | ReadonlySet<string>;
  /** Time of the latest sign-in, rounded down to seconds as in a token. @default the time of the kit's clock */
  authenticatedAt?: Date;
  /** Claims of the token; they replace claims derived from the other members. With `exp`, the token expires by the kit's clock. */
  claims?: JWTPayload;
  /** The account returned by `viewer` and `secureData`. @default an email derived from `userId`, and the same roles */
  user?: Partial<Pick<User, 'email' | 'roles' | 'createdAt'>>;
}

const KEYS: ReadonlySet<string> = new Set<keyof PrincipalSpec>([
  'userId',
  'sessionId',
  'roles',
  'scopes',
  'authenticatedAt',
  'claims',
  'user',
]);

/** @throws TypeError if no token can have these claims, or a key is unknown */
export function toPrincipal(spec: PrincipalSpec, now: Date): Principal {
  const unknown = Object.keys(spec).filter((key) => !KEYS.has(key));
  if (unknown.length > 0) {
    throw new TypeError(`principal: unknown key ${unknown.join(', ')}; known keys: ${[...KEYS].join(', ')}`);
  }
  const { userId = 'user', sessionId = 'session', authenticatedAt = now } = spec;
  const claims = structuredClone(spec.claims); // parsePrincipal freezes its claims
  const principal = parsePrincipal({
    sub: userId,
    sid: sessionId,
    roles: toList('roles', spec.roles),
    scope: toList('scopes', spec.scopes).join(' '),
    auth_time: toSeconds(authenticatedAt),
    iat: toSeconds(now),
    ...claims,
  });
  if (principal === undefined || Number.isNaN(principal.authenticatedAt.getTime())) {
    throw new TypeError('principal: no token can have these claims; one has the wrong type or is empty');
  }
  return principal;
}

/** Creates the account of a principal, as a store would return it. */
export function createAccount(principal: Principal, user: PrincipalSpec['user']): User {
  return {
    id: principal.userId,
    email: `${principal.userId}@example.com`,
    roles: [...principal.roles],
    createdAt: principal.authenticatedAt,
    disabledAt: undefined,
    ...user,
  };
}

/** Rejects a string: as an iterable it would become a list of letters. */
function toList(name: string, list: PrincipalSpec['roles'] = []): string[] {
  if (typeof list === 'string') throw new TypeError(`${name}: must be a list of strings`);
  return [...list];
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
