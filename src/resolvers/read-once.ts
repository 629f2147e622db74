// The caller's own data: one read of the store for all the fields of a request that select it, however often.
import type { GraphQLResolveInfo } from 'graphql';
import type { Principal } from '../tokens/principal.ts';
import { requirePrincipal } from './require-principal.ts';
import type { ResolverContext } from './resolvers.ts';

/** The part of `info` that decides how long a result is shared. */
export type OperationInfo = Pick<GraphQLResolveInfo, 'operation' | 'variableValues'>;

/** Reads for the caller of `context`. @throws AuthError `UNAUTHENTICATED` for an anonymous caller */
export type ReadOnce<T> = (context: ResolverContext, info: OperationInfo) => Promise<T>;

interface Shared<T> {
  principal: Principal;
  value: Promise<T>;
}

/**
 * Shares one call of `read` among the fields of one query, also if a compiled run of it is repeated by the executor. In
 * a mutation and in a subscription, which may select the data again after it has changed, only concurrent fields share
 * one.
 */
export function createReadOnce<T>(read: (principal: Principal) => Promise<T>): ReadOnce<T> {
  // By request, so that an entry is gone with its request.
  const entries = new WeakMap<object, Shared<T>>();

  return async (context, info) => {
    const principal = requirePrincipal(context);
    const key = requestOf(context, info);
    const known = entries.get(key);
    if (known?.principal === principal) return known.value;
    const value = Promise.try(read, principal);
    const entry = { principal, value };
    entries.set(key, entry);
    if (info.operation.operation !== 'query') {
      const forget = () => {
        if (entries.get(key) === entry) entries.delete(key);
      };
      value.then(forget, forget);
    }
    return value;
  };
}

/** The parsed request, which repeated runs share; without one, as in `graphql()` itself, what is made for each run. */
function requestOf({ params }: ResolverContext, { variableValues }: OperationInfo): object {
  return typeof params === 'object' && params !== null ? params : variableValues;
}
