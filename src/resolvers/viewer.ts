// Query.viewer
import type { User } from '../stores/store.ts';
import type { OperationInfo, ReadOnce } from './read-once.ts';
import type { ResolverContext } from './resolvers.ts';

export const viewer =
  (readAccount: ReadOnce<User | undefined>) =>
  (_: unknown, __: unknown, context: ResolverContext, info: OperationInfo) =>
    context.principal ? readAccount(context, info) : null;
