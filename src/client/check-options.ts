// Validates the options of `createAuthClient`.
import { isAuthPayload } from './api.ts';

const STORAGE_METHODS = ['getItem', 'setItem', 'removeItem'];

/** Each option's rule in words, and its check. */
const RULES = new Map<string, [rule: string, isValid: (value: unknown) => boolean]>([
  ['url', ['a string or a URL', (value) => typeof value === 'string' || hasType(value, 'href', 'string')]],
  [
    'tokens',
    [
      'an AuthPayload with accessToken, refreshToken, expiresIn and user',
      (value) => value === null || isAuthPayload(value),
    ],
  ],
  [
    'storage',
    [
      `'memory', 'localStorage' or an object with ${STORAGE_METHODS.join(', ')}`,
      (value) =>
        value === 'memory' ||
        value === 'localStorage' ||
        STORAGE_METHODS.every((name) => hasType(value, name, 'function')),
    ],
  ],
  ['fetch', ['a function', (value) => typeof value === 'function']],
]);

/** @throws TypeError if an option is unknown or has the wrong type; names the option, never its value */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || !options) throw new TypeError('createAuthClient: pass { url }');
  for (const [name, value] of Object.entries({ url: undefined, ...options })) {
    const rule = RULES.get(name);
    if (!rule) {
      const known = [...RULES.keys()].join(', ');
      throw new TypeError(`createAuthClient: unknown option "${name}". Known options: ${known}`);
    }
    const [description, isValid] = rule;
    const isOmitted = value === undefined && name !== 'url';
    if (!isOmitted && !isValid(value))
      throw new TypeError(`createAuthClient: ${name} must be ${description}`);
  }
}

/** Checks the shape instead of `instanceof`, because a value may come from another realm. */
function hasType(value: unknown, name: string, type: string): boolean {
  return typeof value === 'object' && typeof (value as Record<string, unknown> | null)?.[name] === type; // an object, checked before
}
