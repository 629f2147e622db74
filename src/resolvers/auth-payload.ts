// `AuthPayload` from issued tokens.
import type { IssuedTokens } from '../accounts/sessions.ts';

export function toAuthPayload(tokens: IssuedTokens) {
  return { ...tokens, tokenType: 'Bearer' };
}
