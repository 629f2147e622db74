// Query.sessions
import type { Accounts } from '../accounts/accounts.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const sessions = (accounts: Accounts) => async (_: unknown, __: unknown, context: ResolverContext) => {
  const { userId, sessionId } = requirePrincipal(context);
  const live = await accounts.listSessions(userId);
  return live.map((session) => ({ ...session, current: session.id === sessionId }));
};
