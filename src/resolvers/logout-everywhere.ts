// Mutation.logoutEverywhere
import type { Accounts } from '../accounts/accounts.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const logoutEverywhere = (accounts: Accounts) => (_: unknown, __: unknown, context: ResolverContext) =>
  accounts.endAllSessions(requirePrincipal(context).userId);
