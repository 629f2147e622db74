// The part of the request context that names the caller, and the plugin that sets it.
import { useGenericAuth } from '@envelop/generic-auth';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { TokenProblem } from './errors.ts';
import type { AuthenticateMaybeAsync } from './tokens/authenticate.ts';
import type { Principal } from './tokens/principal.ts';
import { findCredentials } from './utils/request-headers.ts';

/** Bandha's part of the context that resolvers get. */
export interface BandhaContext {
  /** The caller; null for an anonymous one. */
  principal: Principal | null;
  /** Why a presented token was not accepted; undefined if it was, or if there is none. */
  tokenProblem: TokenProblem | undefined;
}

/** Awaits `authenticate` before the operation runs, and sets `principal` and `tokenProblem` in the context. */
export function useAuthentication(authenticate: AuthenticateMaybeAsync): Plugin {
  return useGenericAuth<Principal, YogaInitialContext & Partial<BandhaContext>, 'principal'>({
    mode: 'resolve-only',
    contextFieldName: 'principal',
    async resolveUserFn(context) {
      const { principal, problem } = await authenticate(findCredentials(context));
      context.tokenProblem = problem;
      return principal;
    },
  }) as Plugin; // the plugin types of envelop and Yoga differ only in the context
}

/** The context of Bandha's own resolvers. */
export type ResolverContext = YogaInitialContext & BandhaContext;
