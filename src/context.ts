// The request context: built by awaiting token verification, names the principal.
import { useGenericAuth } from '@envelop/generic-auth';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { TokenProblem } from './errors.ts';
import type { AuthenticateMaybeAsync } from './tokens/authenticate.ts';
import type { Principal } from './tokens/principal.ts';
import { findCredentials } from './utils/request-headers.ts';

/** What resolvers find in their context beside Yoga's own. */
export interface BandhaContext {
  /** The caller; null for an anonymous one. */
  principal: Principal | null;
  /** Why a presented token was not accepted; undefined where it was, or where none was presented. */
  tokenProblem: TokenProblem | undefined;
}

/** Awaits `authenticate` before anything is executed and puts `principal` and `tokenProblem` in place. */
export function useAuthentication(authenticate: AuthenticateMaybeAsync): Plugin {
  return useGenericAuth<Principal, YogaInitialContext & Partial<BandhaContext>, 'principal'>({
    mode: 'resolve-only',
    contextFieldName: 'principal',
    async resolveUserFn(context) {
      const { principal, problem } = await authenticate(findCredentials(context));
      context.tokenProblem = problem;
      return principal;
    },
  }) as Plugin; // envelop's plugin type and Yoga's differ in the context alone
}

/** The context of Bandha's own resolvers. */
export type ResolverContext = YogaInitialContext & BandhaContext;
