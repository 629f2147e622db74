// Who is asking: what a verified access token says, in the shape the guard and the resolvers use.
import type { JWTPayload } from 'jose';
import { describeType } from './token-log.ts';

/** The caller; `context.principal`. Read-only: the requests of a token share it. */
export interface Principal {
  /** The `sub` of the token. */
  userId: string;
  /** Empty where the issuer's tokens carry no `sid`. */
  sessionId: string;
  /** The roles that the token was issued with. */
  roles: ReadonlySet<string>;
  /** The scopes that the token was issued with. */
  scopes: ReadonlySet<string>;
  /** When the caller last proved who they are: `auth_time`. Where the token does not say, 1970: never recent enough. */
  authenticatedAt: Date;
  /** Every claim of the token (RFC 7519, section 4). */
  claims: JWTPayload;
}

/** The principals made here. A set of this module: a mark on the object could be copied. */
const createdPrincipals = new WeakSet<object>();

/** A claim that a principal was read without, since its value is not what the claim's definition says. */
export interface IgnoredClaim {
  claim: string;
  expected: string;
  /** The kind of value, never the value. */
  found: string;
}

const isString = (value: unknown) => typeof value === 'string';
const MAX_TIME_SECONDS = 8.64e12; // the last moment that a Date can hold

/** Optional claims that mean something here, or to a log: what each must be. */
const OPTIONAL_CLAIMS: Readonly<Record<string, readonly [expected: string, (value: unknown) => boolean]>> = {
  sid: ['a string', isString],
  // Only lists: in a single string `admin` and `admin user` could not be kept apart.
  roles: ['a list of strings', (value) => Array.isArray(value) && value.every(isString)],
  // RFC 9068, section 2.2.3, and RFC 8693, section 4.2: one string, with spaces between the scopes.
  scope: ['a string', isString],
  auth_time: [
    'a time in seconds since 1970',
    (value) => typeof value === 'number' && Math.abs(value) <= MAX_TIME_SECONDS,
  ],
  jti: ['a string', isString],
  client_id: ['a string', isString],
};

/**
 * Reads a principal from verified claims. An optional claim of the wrong type is left out, as if the token did not have it:
 * access gets narrower, never wider. `auth_time` in the future is left out too, or it would be recent enough until then.
 *
 * @param latestAuthTime seconds since 1970: now, and the clock tolerance
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
  const read = <T>(claim: string, otherwise: T): T =>
    claims[claim] === undefined || ignored.some((one) => one.claim === claim)
      ? otherwise
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

/** The same where a claim of the wrong type is a mistake: undefined if there is one. */
export function parsePrincipal(claims: JWTPayload): Principal | undefined {
  const read = readPrincipal(claims, Infinity);
  return read?.ignored.length === 0 ? read.principal : undefined;
}

/** What a principal consists of; roles and scopes as lists. */
export interface PrincipalParts {
  userId: string;
  sessionId: string;
  roles: readonly string[];
  scopes: readonly string[];
  authenticatedAtMs: number;
  claims: JWTPayload;
}

/** Frozen throughout: the requests of a token share it, and a change by one of them would reach all. */
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

/** Notes that the principal needs no second look in any context. */
export function registerPrincipal(principal: Principal): Principal {
  createdPrincipals.add(principal);
  return principal;
}

/** Whether the value was made here, so that it needs no second look. */
export function isRegisteredPrincipal(value: object): value is Principal {
  return createdPrincipals.has(value);
}

const throwingMethod = {
  value() {
    throw new TypeError('A principal cannot be changed');
  },
};

/** Shared by all sets, as properties of each would take a microsecond. */
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
