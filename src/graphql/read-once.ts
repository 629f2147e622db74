// The caller's own data: one read of the store for all the fields of a request that select it, however often.
import type { GraphQLResolveInfo } from 'graphql';
import type { ResolverContext } from '../context.ts';
import type { Principal } from '../tokens/principal.ts';
import { requirePrincipal } from './require-principal.ts';

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
  // On the request itself, so that an entry is gone with it: a WeakMap with an entry a request doubles the garbage
  // collector's work.
  const SHARED = Symbol('shared read');
  type Keeper = { [SHARED]?: Shared<T> | undefined };

  return (context, info) => {
    let principal: Principal;
    try {
      principal = requirePrincipal(context);
    } catch (error) {
      return Promise.reject(error);
    }
    const keeper: Keeper = requestOf(context, info);
    const known = keeper[SHARED];
    if (known?.principal === principal) return known.value;
    const value = read(principal);
    const entry = { principal, value };
    if (Object.isExtensible(keeper)) keeper[SHARED] = entry;
    if (info.operation.operation !== 'query') {
      const forget = () => {
        if (keeper[SHARED] === entry) keeper[SHARED] = undefined;
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
