// Mutation.revokeSession
import type { Accounts } from '../accounts/accounts.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const revokeSession =
  (accounts: Accounts) =>
  (_: unknown, { id }: { id: string }, context: ResolverContext) =>
    accounts.endSession({ userId: requirePrincipal(context).userId, sessionId: id });
