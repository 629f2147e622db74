// The caller of a field that `@auth` protects.
import type { BandhaContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import type { Principal } from '../tokens/principal.ts';

/**
 * Gives the caller to a resolver.
 * @throws AuthError `UNAUTHENTICATED` for an anonymous caller, as where no guard protects the field; GraphQLError
 *   `INTERNAL_SERVER_ERROR` if `context.principal` is something else
 */
export function requirePrincipal(context: BandhaContext): Principal {
  const principal = readContextPrincipal(context);
  if (principal === null) throw new AuthError(context.tokenProblem ?? 'MISSING_TOKEN');
  return principal;
}
