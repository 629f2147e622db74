// Reads the caller's own data once per request, however many fields select it.
import type { GraphQLResolveInfo } from 'graphql';
import type { ResolverContext } from '../context.ts';
import type { Principal } from '../tokens/principal.ts';
import { requirePrincipal } from './require-principal.ts';

/** The part of a resolver's `info` that decides how long a result is shared. */
export type OperationInfo = Pick<GraphQLResolveInfo, 'operation' | 'variableValues'>;

/** Reads for the caller of `context`. @throws AuthError `UNAUTHENTICATED` for an anonymous caller */
export type ReadOnce<T> = (context: ResolverContext, info: OperationInfo) => Promise<T>;

interface Shared<T> {
  principal: Principal;
  value: Promise<T>;
}

/**
 * Shares one call of `read` among the fields of a query, even if the executor runs it again after the compiled query bailed out.
 * In a mutation or a subscription, the data may change between two fields, so only concurrent fields share a call.
 */
export function createReadOnce<T>(read: (principal: Principal) => Promise<T>): ReadOnce<T> {
  // Stored on the request object itself: a WeakMap with one entry per request would double the work of the garbage collector.
  const SHARED = Symbol('shared read');
  type Holder = { [SHARED]?: Shared<T> | undefined };

  return (context, info) => {
    let principal: Principal;
    try {
      principal = requirePrincipal(context);
    } catch (error) {
      return Promise.reject(error);
    }
    const holder: Holder = findRequestObject(context, info);
    const shared = holder[SHARED];
    if (shared?.principal === principal) return shared.value;
    const value = read(principal);
    const entry = { principal, value };
    if (Object.isExtensible(holder)) holder[SHARED] = entry;
    if (info.operation.operation !== 'query') {
      const clear = () => {
        if (holder[SHARED] === entry) holder[SHARED] = undefined;
      };
      value.then(clear, clear);
    }
    return value;
  };
}

/** The object that all runs of a request share: Yoga's `params`; without Yoga, the variables of the run. */
function findRequestObject({ params }: ResolverContext, { variableValues }: OperationInfo): object {
  return typeof params === 'object' && params !== null ? params : variableValues;
}
