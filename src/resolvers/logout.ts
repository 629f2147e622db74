// Mutation.logout
import type { Accounts } from '../accounts/accounts.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const logout =
  (accounts: Accounts) =>
  (_: unknown, { refreshToken }: { refreshToken?: string | null }, context: ResolverContext) =>
    accounts.logOut({ refreshToken: refreshToken ?? undefined, principal: readContextPrincipal(context) });
