// The client for apps: signs in, keeps tokens fresh, shares the session among tabs. Package entry `bandha/client`.
import { createClient } from './create-client.ts';
import type { AuthClient, AuthClientOptions } from './interface.ts';
import { detectPlatform } from './platform.ts';

export { AuthClientError } from './error.ts';
export type { AuthClient, AuthClientOptions, Credentials, SignedOutReason, User } from './interface.ts';

/**
 * A client of one Bandha server. Tokens are refreshed when somebody asks for one that is about to expire; nothing runs in
 * between. Tabs of a browser that have the same URL share the session.
 * @throws TypeError where the URL is none
 */
export function createAuthClient(options: AuthClientOptions): AuthClient {
  return createClient(options, detectPlatform());
}
