// Verification only: tokens come from another issuer, `@auth` guards the app's own schema.
import type { Plugin } from 'graphql-yoga';
import { type GuardOptions, useGuard } from '../authorization/use-guard.ts';
import { useAuthentication } from '../context.ts';
import { ConfigError } from '../errors.ts';
import { createAuthenticate } from '../tokens/authenticate.ts';
import type { Verifier } from '../tokens/verifier.ts';

export interface TokenAuthOptions extends GuardOptions {
  /** From `createVerifier`. */
  verifier: Verifier;
}

/**
 * Authentication and guard for any Yoga server: `createYoga({ schema, plugins: [useTokenAuth({ verifier })] })`.
 * @throws ConfigError without a verifier; when the plugin is added, as `useGuard` does
 */
export function useTokenAuth(options: TokenAuthOptions): Plugin {
  const { verifier, ...guard } = options ?? {}; // JavaScript may pass nothing
  if (typeof verifier?.verify !== 'function') {
    throw new ConfigError(['useTokenAuth: verifier: is required; createVerifier makes one']);
  }
  return {
    onPluginInit({ addPlugin }) {
      addPlugin(useGuard(guard));
      addPlugin(useAuthentication(createAuthenticate(verifier)));
    },
  };
}
