// The caller's live sessions, as the server lists them.
import type { AuthClient } from '../../client/index.ts';
import { request } from '../request.ts';

export interface LiveSession {
  id: string;
  /** As RFC 3339 writes it. */
  createdAt: string;
  lastUsedAt: string;
  userAgent: string | null;
  ipAddress: string | null;
  /** Whether it is the page's own. */
  current: boolean;
}

const LIST = '{ sessions { id createdAt lastUsedAt userAgent ipAddress current } }';
const END = 'mutation ($id: ID!) { revokeSession(id: $id) }';

/** The most recently used first. */
export async function listSessions(client: AuthClient): Promise<readonly LiveSession[]> {
  const { sessions } = await request<{ sessions: LiveSession[] | null }>(client, LIST);
  return sessions ?? [];
}

/** Ends every session of the caller, on all devices, the page's own last. */
export async function revokeAllSessions(client: AuthClient): Promise<void> {
  await request(client, 'mutation { logoutEverywhere }');
  await client.logout();
}

/** Ends a session of the caller; the page's own by signing out. */
export async function revokeSession(client: AuthClient, { id, current }: LiveSession): Promise<void> {
  if (current) await client.logout();
  else await request(client, END, { id });
}
