// Query.secureData
import type { Accounts } from '../accounts/accounts.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const secureData = (accounts: Accounts) => (_: unknown, __: unknown, context: ResolverContext) => {
  const { userId } = requirePrincipal(context);
  return { message: 'Secure data access granted', user: () => accounts.findAccount(userId) };
};
