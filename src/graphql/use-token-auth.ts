// Authentication and authorization for a Yoga server whose tokens come from another issuer.
import type { Plugin } from 'graphql-yoga';
import type { GuardOptions } from '../authorization/guard-options.ts';
import { useGuard } from '../authorization/use-guard.ts';
import { useAuthentication } from '../context.ts';
import { ConfigError } from '../errors.ts';
import { createAuthenticate } from '../tokens/authenticate.ts';
import type { Verifier } from '../tokens/verifier.ts';

/** Options of {@link useTokenAuth}: a verifier, and those of {@link useGuard}. */
export interface TokenAuthOptions extends GuardOptions {
  /** Verifies the access tokens, as `createVerifier` returns it. */
  verifier: Verifier;
}

/**
 * Authentication and authorization for any Yoga server, with tokens of another issuer.
 *
 * @throws {@link ConfigError} if the verifier is missing; when the plugin is added, as {@link useGuard} does
 * @example
 * const verifier = createVerifier({ issuer, audience, keys: new URL(`${issuer}/.well-known/jwks.json`) });
 * const yoga = createYoga({ schema, plugins: [useTokenAuth({ verifier })] });
 */
export function useTokenAuth(options: TokenAuthOptions): Plugin {
  const { verifier, ...guard } = options ?? {}; // a JavaScript caller may pass nothing
  if (typeof verifier?.verify !== 'function') {
    throw new ConfigError(['useTokenAuth: verifier: is required; createVerifier returns one']);
  }
  return {
    onPluginInit({ addPlugin }) {
      addPlugin(useGuard(guard));
      addPlugin(useAuthentication(createAuthenticate(verifier)));
    },
  };
}
