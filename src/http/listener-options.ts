// Validates the arguments of `createListener`.
import { ConfigError } from '../errors.ts';
import type { ListenerOptions, ServerParts } from './fast-path/listener.ts';

interface OptionCheck {
  isValid(value: unknown): boolean;
  /** Completes the message `NAME: must …`. */
  rule: string;
}

const CHECKS: Readonly<Record<keyof ListenerOptions, OptionCheck>> = {
  cors: {
    isValid: (value) => (typeof value === 'object' && value !== null) || typeof value === 'function',
    rule: 'be what createYoga got as cors, an object or a function; leave it out for cors: false',
  },
  maxBodyBytes: isNumberAbove0(),
  bodyTimeoutSeconds: isNumberAbove0(),
  maxPendingBodyBytes: isNumberAbove0(),
  compile: { isValid: (value) => typeof value === 'boolean', rule: 'be true or false' },
};

/**
 * Checks the arguments at start, so that a misspelled option or a missing `await` fails early.
 * @param parts of the argument `bandha`; undefined if `createBandha` did not return it
 * @throws {@link ConfigError} with every issue
 */
export function assertListenerArguments(
  yoga: unknown,
  parts: ServerParts | undefined,
  options: unknown = {},
): asserts parts is ServerParts {
  const issues: string[] = [];
  if (!hasKey(yoga, 'getEnveloped')) issues.push('yoga: must be what createYoga returns');
  if (parts === undefined)
    issues.push('bandha: must be the object that createBandha returned, after await, and not a copy');
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined) continue;
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof ListenerOptions] : undefined;
    if (check === undefined) issues.push(`${name}: is not a known option`);
    else if (!check.isValid(value)) issues.push(`${name}: must ${check.rule}`);
  }
  if (issues.length > 0) throw new ConfigError(issues.map((issue) => `createListener: ${issue}`));
}

function isNumberAbove0(): OptionCheck {
  return {
    isValid: (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
    rule: 'be a number above 0',
  };
}

function hasKey(value: unknown, key: string): boolean {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && key in value;
}
