// Creates a principal from an application's description of a caller.
import type { JWTPayload } from 'jose';
import { freezePrincipal, isRegisteredPrincipal, type Principal, registerPrincipal } from './principal.ts';

/** Input of {@link createPrincipal}. Other keys are ignored. */
export interface PrincipalInput {
  /** Id of the user; not empty. */
  userId: string;
  /** Id of the caller's session. @default '' */
  sessionId?: string | undefined;
  /** Roles of the caller, for `@auth(roles:)`. @default [] */
  roles?: readonly string[] | ReadonlySet<string> | undefined;
  /** Scopes granted to the caller, for `@auth(scopes:)`. @default [] */
  scopes?: readonly string[] | ReadonlySet<string> | undefined;
  /** Time of the last sign-in, for `@auth(maxAge:)`. @default 1970, so that every `maxAge` requires signing in again */
  authenticatedAt?: Date | undefined;
  /** Claims of the caller's token (RFC 7519, section 4). A subscription ends at `exp`, in seconds since 1970. @default {} */
  claims?: JWTPayload | undefined;
}

/**
 * Creates the caller of an operation, for `context.principal`. The result is frozen, and later changes of the input do not affect it.
 *
 * @throws TypeError naming every key that has the wrong type, without values
 * @example const context = ({ user }) => ({ principal: user && createPrincipal({ userId: user.id, roles: user.roles }) })
 */
export function createPrincipal(input: PrincipalInput): Principal {
  const parsed = parsePrincipalInput(input);
  if (typeof parsed === 'string') throw new TypeError(`createPrincipal: ${parsed}`);
  return registerPrincipal(parsed);
}

/**
 * Reads each key once: a getter or a proxy may return another value the next time.
 *
 * @returns the principal; or the issues of the input as a text without values
 */
export function parsePrincipalInput(input: unknown): Principal | string {
  if (typeof input !== 'object' || input === null) return `must be an object; it is ${describe(input)}`;
  if (isRegisteredPrincipal(input)) return input;
  if (Array.isArray(input) || input instanceof Date || isCollection(input) || input instanceof Error) {
    return `must be an object; it is ${describe(input)}`;
  }
  const fields = input as Record<keyof PrincipalInput | 'then', unknown>; // every key is checked below
  if (typeof fields.then === 'function') return 'must be an object; it is a promise: await it';
  const {
    userId,
    sessionId = '',
    roles = [],
    scopes = [],
    authenticatedAt = new Date(0),
    claims = {},
  } = fields;
  const roleList = toStrings(roles);
  const scopeList = toStrings(scopes);
  const time = authenticatedAt instanceof Date ? authenticatedAt.getTime() : Number.NaN;
  const copiedClaims = isPlainObject(claims) ? copyFrozen(claims) : undefined;
  const exp = copiedClaims?.exp;
  const issues = [
    (typeof userId !== 'string' || userId === '') && 'userId: must be a non-empty string',
    typeof sessionId !== 'string' && 'sessionId: must be a string',
    roleList === undefined && 'roles: must be an array or a set of strings',
    scopeList === undefined && 'scopes: must be an array or a set of strings',
    Number.isNaN(time) && 'authenticatedAt: must be a valid Date',
    copiedClaims === undefined && 'claims: must be an object',
    exp !== undefined && !Number.isFinite(exp) && 'claims.exp: must be a number of seconds',
  ].filter((issue) => issue !== false);
  if (issues.length > 0) return issues.join('; ');
  return freezePrincipal({
    userId: userId as string, // checked above, like the others
    sessionId: sessionId as string,
    roles: roleList ?? [],
    scopes: scopeList ?? [],
    authenticatedAtMs: time,
    claims: copiedClaims ?? {},
  });
}

/** Describes the kind of a value, without its content: a client may read the message. */
function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Error) return 'an Error';
  if (value instanceof Date) return 'a Date';
  if (isCollection(value)) return value instanceof Map || value instanceof WeakMap ? 'a Map' : 'a Set';
  return 'an object';
}

/** Rejects a string, although it is iterable: a list of its letters is never meant. */
function toStrings(list: unknown): string[] | undefined {
  if (!Array.isArray(list) && !(list instanceof Set)) return undefined;
  const items: unknown[] = [...list];
  return items.every((item) => typeof item === 'string') ? items : undefined;
}

function isCollection(value: object): boolean {
  return value instanceof Map || value instanceof Set || value instanceof WeakMap || value instanceof WeakSet;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isCollection(value);
}

function copyFrozen<T>(json: T): T {
  if (typeof json !== 'object' || json === null) return json;
  const copy = Array.isArray(json)
    ? json.map(copyFrozen)
    : Object.fromEntries(Object.entries(json).map(([key, value]) => [key, copyFrozen(value)]));
  return Object.freeze(copy) as T; // the same keys and values
}
