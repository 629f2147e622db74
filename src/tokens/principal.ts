// The caller of a request, as the guard and resolvers use it, read from the claims of a verified access token.
import type { JWTPayload } from 'jose';
import { describeType } from './token-log.ts';

/**
 * The caller; `context.principal`. Frozen: all requests with one token share it.
 *
 * @example const isAdmin = context.principal?.roles.has('admin') ?? false
 */
export interface Principal {
  /** Id of the user: claim `sub` (RFC 7519, section 4.1.2). */
  userId: string;
  /** Id of the session: claim `sid`; `''` if the issuer's tokens have none. */
  sessionId: string;
  /** Roles that the token was issued with: claim `roles` (RFC 9068, section 2.2.3.1). */
  roles: ReadonlySet<string>;
  /** Scopes that the token was issued with: claim `scope` (RFC 9068, section 2.2.3). */
  scopes: ReadonlySet<string>;
  /** Time of the last sign-in: claim `auth_time` (RFC 9068, section 2.2.1); 1970 if the token has none, so that `maxAge` denies. */
  authenticatedAt: Date;
  /** All claims of the token (RFC 7519, section 4). */
  claims: JWTPayload;
}

/** Principals of this module. Module state, because a mark on the object itself could be copied or forged; weak, so that they can be collected. */
const createdPrincipals = new WeakSet<object>();

/** A claim that was left out, because its value does not match its definition. */
export interface IgnoredClaim {
  claim: string;
  expected: string;
  /** The kind of value, never the value. */
  found: string;
}

const isString = (value: unknown) => typeof value === 'string';
const MAX_TIME_SECONDS = 8.64e12; // the maximum of a Date

/** Optional claims that authorization or the log uses, with their definition. */
const OPTIONAL_CLAIMS: Readonly<Record<string, readonly [expected: string, (value: unknown) => boolean]>> = {
  sid: ['a string', isString],
  // Not a string: `admin user` could be one role or two.
  roles: ['a list of strings', (value) => Array.isArray(value) && value.every(isString)],
  // RFC 9068, section 2.2.3, and RFC 8693, section 4.2: one string, scopes separated by spaces.
  scope: ['a string', isString],
  auth_time: [
    'a time in seconds since 1970',
    (value) => typeof value === 'number' && Math.abs(value) <= MAX_TIME_SECONDS,
  ],
  jti: ['a string', isString],
  client_id: ['a string', isString],
};

/**
 * Reads a principal from verified claims. An optional claim of the wrong type counts as missing, which narrows access and never
 * widens it. So does an `auth_time` in the future, which would otherwise satisfy every `maxAge` until then.
 *
 * @param latestAuthTime seconds since 1970: the current time plus the clock tolerance
 * @returns undefined if `sub` is missing, empty or not a string
 */
export function readPrincipal(
  claims: JWTPayload,
  latestAuthTime: number,
): { principal: Principal; ignored: readonly IgnoredClaim[] } | undefined {
  const { sub } = claims;
  if (typeof sub !== 'string' || sub === '') return undefined;
  const ignored: IgnoredClaim[] = [];
  for (const [claim, [expected, isUnderstood]] of Object.entries(OPTIONAL_CLAIMS)) {
    const value = claims[claim];
    if (value === undefined) continue;
    if (!isUnderstood(value)) ignored.push({ claim, expected, found: describeType(value) });
    else if (claim === 'auth_time' && (value as number) > latestAuthTime) {
      ignored.push({ claim, expected: 'a time in the past', found: 'a time in the future' });
    }
  }
  const read = <T>(claim: string, fallback: T): T =>
    claims[claim] === undefined || ignored.some((one) => one.claim === claim)
      ? fallback
      : (claims[claim] as T); // its type was checked above
  const authTime = read('auth_time', 0);
  const principal = freezePrincipal({
    userId: sub,
    sessionId: read('sid', ''),
    roles: read<readonly string[]>('roles', []),
    scopes: read('scope', '').split(' ').filter(Boolean),
    authenticatedAtMs: authTime * 1000,
    claims: deepFreeze(claims),
  });
  return { principal: registerPrincipal(principal), ignored };
}

/** @returns undefined if any claim is missing or has the wrong type */
export function parsePrincipal(claims: JWTPayload): Principal | undefined {
  const read = readPrincipal(claims, Infinity);
  return read?.ignored.length === 0 ? read.principal : undefined;
}

/** Input of {@link freezePrincipal}; roles and scopes as lists. */
export interface PrincipalParts {
  userId: string;
  sessionId: string;
  roles: readonly string[];
  scopes: readonly string[];
  authenticatedAtMs: number;
  claims: JWTPayload;
}

/** Creates a deeply frozen principal: all requests with one token share it, so that a change in one would affect the others. */
export function freezePrincipal({ roles, scopes, authenticatedAtMs, ...parts }: PrincipalParts): Principal {
  return Object.freeze({
    userId: parts.userId,
    sessionId: parts.sessionId,
    roles: createFrozenSet(roles),
    scopes: createFrozenSet(scopes),
    get authenticatedAt() {
      return new Date(authenticatedAtMs);
    },
    claims: parts.claims,
  });
}

/** Registers a principal, so that contexts accept it without validation. */
export function registerPrincipal(principal: Principal): Principal {
  createdPrincipals.add(principal);
  return principal;
}

/** @returns whether the value is registered, and needs no validation */
export function isRegisteredPrincipal(value: object): value is Principal {
  return createdPrincipals.has(value);
}

const throwingMethod = {
  value() {
    throw new TypeError('A principal cannot be changed');
  },
};

/** One prototype for all sets: defining the methods on each set would take a microsecond. */
const frozenSetPrototype: object = Object.create(Set.prototype, {
  add: throwingMethod,
  delete: throwingMethod,
  clear: throwingMethod,
});

function createFrozenSet(values: readonly string[]): ReadonlySet<string> {
  return Object.setPrototypeOf(new Set(values), frozenSetPrototype);
}

function deepFreeze<T>(json: T): T {
  if (typeof json !== 'object' || json === null) return json;
  for (const value of Object.values(json)) deepFreeze(value);
  return Object.freeze(json);
}
