// Mutation.logout
import type { Accounts } from '../accounts/accounts.ts';
import type { ResolverContext } from './resolvers.ts';

export const logout =
  (accounts: Accounts) =>
  (_: unknown, { refreshToken }: { refreshToken?: string | null }, { principal }: ResolverContext) =>
    accounts.logOut({ refreshToken: refreshToken ?? undefined, principal });
