// Returns the caller to a resolver of a protected field.
import type { BandhaContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import type { Principal } from '../tokens/principal.ts';

/**
 * Returns the caller. A field with `@auth` always has one.
 *
 * @throws {@link AuthError} `UNAUTHENTICATED` if the caller is anonymous, which the guard prevents on a protected field
 * @throws GraphQLError `INTERNAL_SERVER_ERROR` if `context.principal` is not a principal
 * @example const resolvers = { Query: { orders: (_, __, context) => listOrders(requirePrincipal(context).userId) } }
 */
export function requirePrincipal(context: BandhaContext): Principal {
  const principal = readContextPrincipal(context);
  if (principal === null) throw new AuthError(context.tokenProblem ?? 'MISSING_TOKEN');
  return principal;
}
