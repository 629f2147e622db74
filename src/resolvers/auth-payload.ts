// `AuthPayload` from issued tokens.
import type { IssuedTokens } from '../accounts/issue-tokens.ts';

export function toAuthPayload(tokens: IssuedTokens) {
  return { ...tokens, tokenType: 'Bearer' };
}
