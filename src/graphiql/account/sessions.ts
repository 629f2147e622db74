// Lists and revokes the caller's sessions.
import type { AuthClient } from '../../client/index.ts';
import { request } from '../request.ts';

export interface LiveSession {
  id: string;
  /** In RFC 3339 format, as is `lastUsedAt`. */
  createdAt: string;
  lastUsedAt: string;
  userAgent: string | null;
  ipAddress: string | null;
  /** Whether this page uses it. */
  current: boolean;
}

const LIST = '{ sessions { id createdAt lastUsedAt userAgent ipAddress current } }';
const REVOKE = 'mutation ($id: ID!) { revokeSession(id: $id) }';

/** Lists the live sessions, most recently used first. */
export async function listSessions(client: AuthClient): Promise<readonly LiveSession[]> {
  const { sessions } = await request<{ sessions: LiveSession[] | null }>(client, LIST);
  return sessions ?? [];
}

/** Revokes every session of the caller, on all devices, and signs out here. */
export async function revokeAllSessions(client: AuthClient): Promise<void> {
  await request(client, 'mutation { logoutEverywhere }');
  await client.logout();
}

/** Revokes one session; signs out if it is the page's own. */
export async function revokeSession(client: AuthClient, { id, current }: LiveSession): Promise<void> {
  if (current) await client.logout();
  else await request(client, REVOKE, { id });
}
