// The options of the guard, and their validation when it is created.
import { ConfigError } from '../errors.ts';
import { CLOCK_RULE, isClock } from '../utils/clock.ts';
import { assertLog, type Log } from '../utils/log.ts';
import type { Policy } from './policies.ts';
import type { WatchSession } from './subscriptions.ts';

/** The options of {@link useGuard}. Every guard of one server must have the same. */
export interface GuardOptions {
  /**
   * The response to an operation with a denied field.
   *
   * - `reject`: the operation does not run and the response has no `data`. The HTTP status is 401, 403 or 503, with
   *   `WWW-Authenticate` as in RFC 6750, section 3. A field that is denied only for some objects is null, with an error.
   * - `null`: every denied field is null, with an error, and the rest is delivered with status 200. Null propagates to the
   *   parent of a non-null field, as in the GraphQL specification, section 6.4.4.
   *
   * @default 'reject'
   */
  onDenied?: 'reject' | 'null';
  /**
   * The policies that `@auth(policies:)` and `@policy(policies:)` name, by name. A directive with an undefined policy is a
   * `ConfigError` when the schema is set.
   *
   * @default {}
   * @example { ownsOrder: ({ principal, args }) => orders.isOwner(args.id, principal.userId) }
   */
  policies?: Readonly<Record<string, Policy>>;
  /**
   * Access to fields without a rule. `deny`: they require a signed-in caller unless they, or their type, are marked `@public`;
   * so does introspection unless `Query` is.
   *
   * @default 'allow'
   */
  defaultAccess?: 'allow' | 'deny';
  /**
   * Denies nothing, and logs `access would be denied` with `coordinate` and `reason` for each denied field. For adding rules to
   * a running server. A `context.principal` that is not a principal is still rejected.
   *
   * @default false
   */
  reportOnly?: boolean;
  /**
   * The schema that introspection shows.
   *
   * - `all`: the whole schema, to every caller.
   * - `permitted`: the types and fields that the caller may use, with their requirements in the descriptions. Policies are not
   *   evaluated for it: signed-in callers see the fields that policies protect.
   * - `annotated`: the whole schema, with the requirements in the descriptions, to every caller, even if `defaultAccess` is
   *   `deny`. For development.
   *
   * @default 'all'
   */
  introspection?: 'all' | 'permitted' | 'annotated';
  /**
   * Reports the end of a session, so that its subscriptions end with it. Without it, a subscription ends when its token expires
   * (`exp`).
   *
   * @default none
   */
  watchSession?: WatchSession;
  /**
   * Receives warnings: denials with `reportOnly`, policies that fail, a `context.principal` that is not a principal, and
   * interfaces whose implementations have different requirements. A pino logger fits.
   *
   * @default the console
   */
  log?: Pick<Log, 'warn'>;
  /**
   * The clock for `maxAge` and for the expiry of subscriptions.
   *
   * @default () => new Date()
   */
  now?: () => Date;
}

/** The options that decide access, without those about the response. */
export type AccessOptions = Pick<GuardOptions, 'policies' | 'defaultAccess' | 'reportOnly' | 'log' | 'now'>;

/** The rule of each option, which follows "must". `undefined` is allowed for all, and means the default. */
const CHECKS: Readonly<
  Record<keyof GuardOptions, readonly [isValid: (value: unknown) => boolean, rule: string]>
> = {
  onDenied: oneOf('reject', 'null'),
  introspection: oneOf('all', 'permitted', 'annotated'),
  defaultAccess: oneOf('allow', 'deny'),
  // The string 'false' would be truthy and deny nothing.
  reportOnly: [(value) => typeof value === 'boolean', 'be true or false'],
  policies: [isPolicies, 'be an object of functions'],
  now: [isClock, CLOCK_RULE],
  watchSession: [isFunction, 'be a function'],
  log: [() => true, ''], // `assertLog` checks it
};

const DEFAULTS: Required<Pick<GuardOptions, 'defaultAccess' | 'onDenied' | 'reportOnly' | 'introspection'>> =
  {
    defaultAccess: 'allow',
    onDenied: 'reject',
    reportOnly: false,
    introspection: 'all',
  };

/**
 * Rejects unknown options and values: with a misspelled option, fields would stay open that its author meant to close.
 *
 * @throws ConfigError naming every option that is unknown or invalid
 */
export function assertGuardOptions(options: GuardOptions): void {
  if (!isPlainObject(options)) throw new ConfigError(['useGuard: the options must be a plain object']);
  const issues = Object.entries(withoutUndefined(options)).flatMap(([name, value]) => {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof GuardOptions] : undefined; // cast: checked by hasOwn
    if (check === undefined)
      return [`useGuard: ${name}: is not a known option; the options are ${Object.keys(CHECKS).join(', ')}`];
    const [isValid, rule] = check;
    return isValid(value) ? [] : [`${name}: must ${rule}`];
  });
  if (issues.length > 0) throw new ConfigError(issues);
  if (options.log !== undefined) assertLog(options.log, ['warn']);
}

/** Only plain objects with enumerable keys: other options would apply without having been checked by name. */
function isPlainObject(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  const prototype = Object.getPrototypeOf(options);
  return (
    (prototype === Object.prototype || prototype === null) &&
    Reflect.ownKeys(options).length === Object.keys(options).length
  );
}

/**
 * Requires equal options of two guards in one server. With different ones, access would be what the weaker guard allows.
 *
 * @throws ConfigError naming every option that differs; functions are compared by identity
 */
export function assertSameOptions(first: GuardOptions, second: GuardOptions): void {
  const [one, other] = [first, second].map((options) => ({ ...DEFAULTS, ...withoutUndefined(options) }));
  // Cast: both objects have the keys of options.
  const names = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})] as (keyof GuardOptions)[]);
  const different = [...names].filter((name) => !isSame(name, one?.[name], other?.[name]));
  if (different.length === 0) return;
  throw new ConfigError(
    different.map((name) => `useGuard: ${name}: must be the same in both guards of a server`),
  );
}

function oneOf(...choices: readonly string[]): readonly [(value: unknown) => boolean, string] {
  return [(value) => choices.some((choice) => choice === value), `be one of ${choices.join(', ')}`];
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isPolicies(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isFunction)
  );
}

function withoutUndefined(options: GuardOptions): GuardOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Two objects of policies are the same if they have the same functions under the same names. */
function isSame(name: keyof GuardOptions, one: unknown, other: unknown): boolean {
  if (name !== 'policies') return one === other;
  const functions = new Map(Object.entries(one ?? {}));
  const others = Object.entries(other ?? {});
  return functions.size === others.length && others.every(([key, value]) => functions.get(key) === value);
}
