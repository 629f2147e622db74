// The caller of a field that `@auth` protects.

import type { BandhaContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';

/** @throws AuthError `UNAUTHENTICATED` where the guard is not in place */
export function requirePrincipal({ principal, tokenProblem }: BandhaContext): Principal {
  if (!principal) throw new AuthError(tokenProblem ?? 'MISSING_TOKEN');
  return principal;
}
