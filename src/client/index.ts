// The client for apps: signs in, keeps tokens fresh, shares the session among tabs. Package entry `bandha/client`.
import { createClient } from './client.ts';
import { detectPlatform } from './platform.ts';
import type { AuthClient, AuthClientOptions } from './types.ts';

export { AuthClientError } from './error.ts';
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
 * A client of one Bandha server. Tokens are refreshed when somebody asks for one that is about to expire; nothing runs in
 * between. Tabs of a browser that have the same URL share the session.
 * @throws TypeError if an option is unknown or not of its kind; the message names the option, never its value
 */
export function createAuthClient(options: AuthClientOptions): AuthClient {
  return createClient(options, detectPlatform());
}
