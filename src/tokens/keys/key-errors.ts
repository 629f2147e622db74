// Keeps a token that fits no key apart from keys that are unavailable.

/** The issuer's keys are unavailable. */
export class KeysUnavailableError extends Error {
  constructor(cause?: unknown) {
    super('The keys to verify access tokens are unavailable', { cause });
    this.name = 'KeysUnavailableError';
  }
}

/** Codes of jose's errors about a token; by code, since an application's look-up may come from a jose of its own. */
const TOKEN_ERROR_CODES: readonly unknown[] = [
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JWS_INVALID',
];

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Any error of `find` that is not about the token means that the keys are unavailable. */
export function toKeyError(error: unknown): unknown {
  const isAboutToken = TOKEN_ERROR_CODES.some((code) => hasCode(error, String(code)));
  return isAboutToken || error instanceof KeysUnavailableError ? error : new KeysUnavailableError(error);
}
