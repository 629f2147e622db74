// Query.sessions
import type { Session } from '../storage/store.ts';
import type { OperationInfo, ReadOnce } from './read-once.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const sessions =
  (readSessions: ReadOnce<Session[]>) =>
  async (_: unknown, __: unknown, context: ResolverContext, info: OperationInfo) => {
    const { sessionId } = requirePrincipal(context);
    const live = await readSessions(context, info);
    return live.map((session) => ({ ...session, current: session.id === sessionId }));
  };
