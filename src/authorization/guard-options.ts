// The options of a guard: what they may be, and that those of two guards agree.

import { ConfigError } from '../errors.ts';
import { CLOCK_RULE, isClock } from '../utils/clock.ts';
import { assertLog } from '../utils/log.ts';
import type { AccessOptions } from './enforce-schema.ts';
import type { WatchSession } from './subscriptions.ts';

export interface DecisionOptions extends AccessOptions {
  /**
   * `reject`: an operation with a denied field does not begin, and the response has no `data`. `null`: denied fields are null
   * with an error each, and everything else is returned.
   * @default 'reject'
   */
  onDenied?: 'reject' | 'null';
  /**
   * `permitted`: callers see the types and fields that they may use, with a line on what each needs. `annotated`: everyone sees
   * everything, with that line, also if `defaultAccess` is `deny`; for development.
   * @default 'all'
   */
  introspection?: 'all' | 'permitted' | 'annotated';
}

/** Everything that a guard goes by. */
export interface GuardSettings extends DecisionOptions {
  /** Ends a subscription when its session is revoked. @default subscriptions end only when their token expires */
  watchSession?: WatchSession;
}

/** What each option must be; `undefined` stands for the default. */
const CHECKS: Readonly<
  Record<keyof GuardSettings, readonly [isValid: (value: unknown) => boolean, rule: string]>
> = {
  onDenied: oneOf('reject', 'null'),
  introspection: oneOf('all', 'permitted', 'annotated'),
  defaultAccess: oneOf('allow', 'deny'),
  // A text such as 'false' would let everything through.
  reportOnly: [(value) => typeof value === 'boolean', 'be true or false'],
  policies: [isPolicies, 'be an object of functions'],
  now: [isClock, CLOCK_RULE],
  watchSession: [isFunction, 'be a function'],
  log: [() => true, ''], // checked below
};

/**
 * A misspelt option or choice must not leave open what was meant to be closed.
 * @throws ConfigError naming every option that is unknown or not what it must be
 */
export function assertGuardOptions(options: GuardSettings): void {
  if (typeof options !== 'object' || options === null)
    throw new ConfigError(['useGuard: the options must be an object']);
  const issues = Object.entries(withoutUndefined(options)).flatMap(([name, value]) => {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof GuardSettings] : undefined; // CHECKS has these keys alone
    if (check === undefined)
      return [`useGuard: ${name}: is not a known option; there are ${Object.keys(CHECKS).join(', ')}`];
    const [isValid, rule] = check;
    return isValid(value) ? [] : [`${name}: must ${rule}`];
  });
  if (issues.length > 0) throw new ConfigError(issues);
  if (options.log !== undefined) assertLog(options.log, ['warn']);
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

const DEFAULTS: Required<Pick<GuardSettings, 'defaultAccess' | 'onDenied' | 'reportOnly' | 'introspection'>> =
  {
    defaultAccess: 'allow',
    onDenied: 'reject',
    reportOnly: false,
    introspection: 'all',
  };

/**
 * Two guards of one server would each check by their own options, and access would be what the weaker one allows.
 * @throws ConfigError naming every option that differs, functions compared by identity
 */
export function assertSameOptions(first: GuardSettings, second: GuardSettings): void {
  const [one, other] = [first, second].map((options) => ({ ...DEFAULTS, ...withoutUndefined(options) }));
  const names = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})] as (keyof GuardSettings)[]); // their own keys
  const different = [...names].filter((name) => !isSame(name, one?.[name], other?.[name]));
  if (different.length === 0) return;
  throw new ConfigError(
    different.map((name) => `useGuard: ${name}: must be the same in both guards of a server`),
  );
}

function withoutUndefined(options: GuardSettings): GuardSettings {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The functions of `policies` are compared one by one. */
function isSame(name: keyof GuardSettings, one: unknown, other: unknown): boolean {
  if (name !== 'policies') return one === other;
  const functions = new Map(Object.entries(one ?? {}));
  const others = Object.entries(other ?? {});
  return functions.size === others.length && others.every(([key, value]) => functions.get(key) === value);
}
