// What a refusal tells about the token that was sent.

export type TokenErrorReason = 'TOKEN_EXPIRED' | 'TOKEN_REVOKED';

/** Why the token was not accepted, where that is among the GraphQL errors of an answer; whatever they are. */
export function findTokenError(errors: unknown): TokenErrorReason | undefined {
  if (!Array.isArray(errors)) return undefined;
  for (const error of errors) {
    const { code, reason } = error?.extensions ?? {};
    if (code === 'UNAUTHENTICATED' && (reason === 'TOKEN_EXPIRED' || reason === 'TOKEN_REVOKED'))
      return reason;
  }
  return undefined;
}
