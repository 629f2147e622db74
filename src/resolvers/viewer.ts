// Query.viewer
import type { Accounts } from '../accounts/accounts.ts';
import type { ResolverContext } from './resolvers.ts';

export const viewer =
  (accounts: Accounts) =>
  (_: unknown, __: unknown, { principal }: ResolverContext) =>
    principal ? accounts.findAccount(principal.userId) : null;
