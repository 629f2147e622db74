// Rejects options that the client would otherwise ignore.
import { isAuthPayload } from './api.ts';

const STORAGE_METHODS = ['getItem', 'setItem', 'removeItem'];

/** By option: its rule in words, and whether a value meets it. */
const RULES = new Map<string, [rule: string, isMet: (value: unknown) => boolean]>([
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

/** @throws TypeError that names the option, never its value */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || !options) throw new TypeError('createAuthClient: pass { url }');
  for (const [name, value] of Object.entries({ url: undefined, ...options })) {
    const rule = RULES.get(name);
    if (!rule) {
      const known = [...RULES.keys()].join(', ');
      throw new TypeError(`createAuthClient: unknown option "${name}". Options are ${known}`);
    }
    const [words, isMet] = rule;
    const isAbsent = value === undefined && name !== 'url';
    if (!isAbsent && !isMet(value)) throw new TypeError(`createAuthClient: ${name} must be ${words}`);
  }
}

/** Not `instanceof`, as a value may come from another realm. */
function hasType(value: unknown, name: string, type: string): boolean {
  return typeof value === 'object' && typeof (value as Record<string, unknown> | null)?.[name] === type; // any object
}
