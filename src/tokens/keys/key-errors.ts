// Errors of key lookup: distinguishes a token that matches no key from keys that are unavailable.

/** The issuer's keys are unavailable. */
export class KeysUnavailableError extends Error {
  constructor(cause?: unknown) {
    super('The keys to verify access tokens are unavailable', { cause });
    this.name = 'KeysUnavailableError';
  }
}

/** Codes of jose's errors about a token. Codes and not classes, because an application's key function may use another copy of jose. */
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

/** Converts an error of key lookup: unless it concerns the token, the keys are unavailable. */
export function toKeyError(error: unknown): unknown {
  const isAboutToken = TOKEN_ERROR_CODES.some((code) => hasCode(error, String(code)));
  return isAboutToken || error instanceof KeysUnavailableError ? error : new KeysUnavailableError(error);
}
