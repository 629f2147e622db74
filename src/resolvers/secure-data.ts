// Query.secureData
import type { User } from '../storage/store.ts';
import type { OperationInfo, ReadOnce } from './read-once.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

export const secureData =
  (readAccount: ReadOnce<User | undefined>) => (_: unknown, __: unknown, context: ResolverContext) => {
    requirePrincipal(context);
    return {
      message: 'Secure data access granted',
      user: (_args: unknown, own: ResolverContext, info: OperationInfo) => readAccount(own, info),
    };
  };
