// A principal from what an application describes a caller by.
import type { JWTPayload } from 'jose';
import { freezePrincipal, isRegisteredPrincipal, type Principal, registerPrincipal } from './principal.ts';

/** What `createPrincipal` takes. Other keys are ignored. */
export interface PrincipalInput {
  /** Not empty. */
  userId: string;
  /** The session that the caller signed in with. @default '' */
  sessionId?: string | undefined;
  /** The caller's roles, for `@auth(roles:)`. @default none */
  roles?: readonly string[] | ReadonlySet<string> | undefined;
  /** The scopes granted to the caller, for `@auth(scopes:)`. @default none */
  scopes?: readonly string[] | ReadonlySet<string> | undefined;
  /** What `maxAge` is measured from. @default 1970: never recent enough */
  authenticatedAt?: Date | undefined;
  /** A subscription ends at `exp`, in seconds since 1970. @default {} */
  claims?: JWTPayload | undefined;
}

/**
 * Makes the caller of an operation, for `context.principal`: frozen, and independent of the input.
 * @throws TypeError naming every key that has the wrong type
 * @example const context = ({ user }) => ({ principal: user && createPrincipal({ userId: user.id, roles: user.roles }) })
 */
export function createPrincipal(input: PrincipalInput): Principal {
  const parsed = parsePrincipalInput(input);
  if (typeof parsed === 'string') throw new TypeError(`createPrincipal: ${parsed}`);
  return registerPrincipal(parsed);
}

/**
 * Reads each key once: a getter or a proxy may have another value the next time.
 * @returns a sentence part that says what is wrong with the input, without its values, if it is no principal
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
    userId: userId as string, // checked above, as are the others
    sessionId: sessionId as string,
    roles: roleList ?? [],
    scopes: scopeList ?? [],
    authenticatedAtMs: time,
    claims: copiedClaims ?? {},
  });
}

/** What a value is, without its content: for messages that a client may read. */
function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Error) return 'an Error';
  if (value instanceof Date) return 'a Date';
  if (isCollection(value)) return value instanceof Map || value instanceof WeakMap ? 'a Map' : 'a Set';
  return 'an object';
}

/** A string is a list of its letters too, which no one means. */
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
