// A principal as a test describes it, read from claims as the server reads one from a token.
import type { JWTPayload } from 'jose';
import type { User } from '../storage/store.ts';
import { type Principal, parsePrincipal } from '../tokens/principal.ts';

/** Who is signed in. Nothing given: somebody without roles and scopes, signed in just now. */
export interface PrincipalSpec {
  /** Default: `user`. */
  userId?: string;
  /** Default: `session`. */
  sessionId?: string;
  roles?: readonly string[] | ReadonlySet<string>;
  scopes?: readonly string[] | ReadonlySet<string>;
  /** When they proved who they are, counted in whole seconds as in a token; default: the kit's clock. */
  authenticatedAt?: Date;
  /** Claims of the token, in place of those that the rest makes. With `exp`, the token expires by the kit's clock. */
  claims?: JWTPayload;
  /** The account that `viewer` and `secureData` give; default: an email made of the user's id, and the same roles. */
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

/** @throws TypeError where no token could say what the spec says, or a key of it is misspelt */
export function makePrincipal(spec: PrincipalSpec, now: Date): Principal {
  const unknown = Object.keys(spec).filter((key) => !KEYS.has(key));
  if (unknown.length > 0) throw new TypeError(`A principal has no ${unknown.join(', ')}`);
  const { userId = 'user', sessionId = 'session', authenticatedAt = now } = spec;
  const claims = structuredClone(spec.claims); // the principal's are frozen
  const principal = parsePrincipal({
    sub: userId,
    sid: sessionId,
    roles: listOf('roles', spec.roles),
    scope: listOf('scopes', spec.scopes).join(' '),
    auth_time: secondsOf(authenticatedAt),
    iat: secondsOf(now),
    ...claims,
  });
  if (principal === undefined || Number.isNaN(principal.authenticatedAt.getTime())) {
    throw new TypeError('A token cannot say that of a principal: a claim has the wrong type, or is empty');
  }
  return principal;
}

/** The account of a principal that has no store behind it. */
export function makeAccount(principal: Principal, user: PrincipalSpec['user']): User {
  return {
    id: principal.userId,
    email: `${principal.userId}@example.com`,
    roles: [...principal.roles],
    createdAt: principal.authenticatedAt,
    disabledAt: undefined,
    ...user,
  };
}

/** A string is a list of its letters too, which nobody means. */
function listOf(name: string, list: PrincipalSpec['roles'] = []): string[] {
  if (typeof list === 'string') throw new TypeError(`${name}: must be a list of strings`);
  return [...list];
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
