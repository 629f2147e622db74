// Authentication client for apps: signs in and out, refreshes tokens, shares one session among tabs. Package entry `bandha/client`.
import { createClient } from './client.ts';
import { detectPlatform } from './platform.ts';
import type { AuthClient, AuthClientOptions } from './types.ts';

export { AuthClientError, type AuthClientErrorDetails } from './error.ts';
export type {
  AuthClient,
  AuthClientOptions,
  AuthPayload,
  AuthStorage,
  Credentials,
  SignedOutReason,
  User,
} from './types.ts';

/**
 * Creates a client of one Bandha server. Tokens are refreshed when a request needs one that is about to expire; no timer runs
 * in between. Tabs of one browser with the same URL share the session. On a server that renders pages, create a client for
 * each request.
 *
 * @throws TypeError if an option is unknown or has the wrong type; the message names the option, never its value
 * @example
 * const auth = createAuthClient({ url: 'http://localhost:4000/graphql' });
 * await auth.ready;
 * if (!auth.user) await auth.login({ email, password });
 */
export function createAuthClient(options: AuthClientOptions): AuthClient {
  return createClient(options, detectPlatform());
}
