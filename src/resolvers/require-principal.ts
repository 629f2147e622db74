// The caller of a field that `@auth` protects.
import { AuthError } from '../errors.ts';
import type { Principal } from '../tokens/principal.ts';
import type { ResolverContext } from './resolvers.ts';

/** @throws AuthError `UNAUTHENTICATED` where the guard is not in place */
export function requirePrincipal({ principal, tokenProblem }: ResolverContext): Principal {
  if (!principal) throw new AuthError(tokenProblem ?? 'MISSING_TOKEN');
  return principal;
}
