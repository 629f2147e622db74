// Verification only: tokens come from another issuer, `@auth` guards the app's own schema.
import type { Plugin } from 'graphql-yoga';
import { useAuthentication } from './context.ts';
import { type GuardOptions, useGuard } from './guard/use-guard.ts';
import { createAuthenticate } from './tokens/authenticate.ts';
import type { Verifier } from './tokens/verifier.ts';

export interface UseBandhaOptions extends GuardOptions {
  /** From `createVerifier`. */
  verifier: Verifier;
}

/** Authentication and guard for any Yoga server: `createYoga({ schema, plugins: [useBandha({ verifier })] })`. */
export function useBandha({ verifier, ...guard }: UseBandhaOptions): Plugin {
  return {
    onPluginInit({ addPlugin }) {
      addPlugin(useGuard(guard));
      addPlugin(useAuthentication(createAuthenticate(verifier)));
    },
  };
}
