// Query.viewer
import type { User } from '../storage/store.ts';
import { readContextPrincipal } from '../tokens/context-principal.ts';
import type { OperationInfo, ReadOnce } from './read-once.ts';
import type { ResolverContext } from './resolvers.ts';

export const viewer =
  (readAccount: ReadOnce<User | undefined>) =>
  (_: unknown, __: unknown, context: ResolverContext, info: OperationInfo) =>
    readContextPrincipal(context) ? readAccount(context, info) : null;
