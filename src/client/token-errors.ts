// Finds the error of a rejected access token in a GraphQL response.

export type TokenErrorReason = 'TOKEN_EXPIRED' | 'TOKEN_REVOKED';

/**
 * @param errors `errors` of a response; may have any shape, since the server may not be Bandha
 * @returns undefined if the token was not rejected, or for another reason
 */
export function findTokenError(errors: unknown): TokenErrorReason | undefined {
  if (!Array.isArray(errors)) return undefined;
  for (const error of errors) {
    const { code, reason } = error?.extensions ?? {};
    if (code === 'UNAUTHENTICATED' && (reason === 'TOKEN_EXPIRED' || reason === 'TOKEN_REVOKED'))
      return reason;
  }
  return undefined;
}
