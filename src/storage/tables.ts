// The tables as Kysely sees them, and how rows become the port's values. Instants are milliseconds since 1970.

import type { Generated, Kysely, Selectable } from 'kysely';
import type { Session } from '../sessions/session.ts';
import type { Outage } from './feed/revocation-feed.ts';
import type { FeedEvent, SigningKeyRow, SigningKeyStatus, User } from './store.ts';

export interface Database {
  users: {
    id: string;
    email: string;
    email_key: string;
    password_hash: string;
    /** A JSON list. */
    roles: string;
    created_at: number;
    disabled_at: number | null;
  };
  sessions: {
    id: string;
    user_id: string;
    generation: number;
    created_at: number;
    authenticated_at: number;
    last_used_at: number;
    expires_at: number;
    revoked_at: number | null;
    user_agent: string | null;
    ip_address: string | null;
  };
  /** What sign-ins from networks that the account has used before are recognized by. */
  known_networks: {
    user_id: string;
    /** A pseudonym: no address can be found from it without the secret. */
    network: string;
    last_used_at: number;
  };
  /** What every instance must hear of. */
  changes: {
    /** In SQLite in the order of their commits. */
    id: Generated<number>;
    kind: FeedEvent['kind'];
    /** The session's id, the user's, the kid, or the pseudonym of an account. */
    subject: string;
    made_at: number;
  };
  /** Who does what one instance at a time shall do. */
  leases: {
    task: string;
    holder: string;
    expires_at: number;
  };
  signing_keys: {
    kid: string;
    algorithm: string;
    status: SigningKeyStatus;
    /** JSON. */
    public_jwk: string;
    sealed_private_jwk: string;
    created_at: number;
    current_since: number | null;
    retired_at: number | null;
  };
}

/** What the verbs work with. */
export interface QueryContext {
  db: Kysely<Database>;
  /** For what only reads, and may be a moment behind. */
  reader: Kysely<Database>;
  /** Whether a transaction locks the rows that it judges; SQLite's has the database to itself. */
  hasRowLocks: boolean;
  /** Called when changes have been committed: told here before anything else happens, and read elsewhere. */
  publish(changes: readonly FeedEvent[]): void;
  /** Called when something has been committed that is told by being read. */
  poll(): void;
  /** When the database was last out of reach, as far as this process knows. */
  lastOutage(): Outage | undefined;
}

export function toUser(row: Selectable<Database['users']>): User {
  return {
    id: row.id,
    email: row.email,
    roles: JSON.parse(row.roles),
    createdAt: new Date(row.created_at),
    disabledAt: toDate(row.disabled_at),
  };
}

/** A change as read, with the roles that its user, where it concerns one, has now. */
export type ChangeRow = Pick<Selectable<Database['changes']>, 'kind' | 'subject' | 'made_at'> & {
  roles: string | null;
};

/** Those of a kind that a later version has brought are left out: this one has no use for them. */
export function toFeedEvents(rows: readonly ChangeRow[]): FeedEvent[] {
  return rows.flatMap((row) => toChange(row) ?? []);
}

function toChange(row: ChangeRow): FeedEvent | undefined {
  const at = new Date(row.made_at);
  const changes: Record<FeedEvent['kind'], FeedEvent> = {
    SESSION_REVOKED: { kind: 'SESSION_REVOKED', sessionId: row.subject, revokedAt: at },
    ROLES_CHANGED: {
      kind: 'ROLES_CHANGED',
      userId: row.subject,
      roles: JSON.parse(row.roles ?? '[]'),
      changedAt: at,
    },
    KEYS_CHANGED: { kind: 'KEYS_CHANGED' },
    LIMITS_CLEARED: { kind: 'LIMITS_CLEARED', subject: row.subject, clearedAt: at },
  };
  return changes[row.kind];
}

export function toSession(row: Selectable<Database['sessions']>): Session {
  return {
    id: row.id,
    userId: row.user_id,
    generation: row.generation,
    createdAt: new Date(row.created_at),
    authenticatedAt: new Date(row.authenticated_at),
    lastUsedAt: new Date(row.last_used_at),
    expiresAt: new Date(row.expires_at),
    revokedAt: toDate(row.revoked_at),
    userAgent: row.user_agent ?? undefined,
    ipAddress: row.ip_address ?? undefined,
  };
}

export function toSigningKeyRow(row: Selectable<Database['signing_keys']>): SigningKeyRow {
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    status: row.status,
    publicJwk: JSON.parse(row.public_jwk),
    sealedPrivateJwk: row.sealed_private_jwk,
    createdAt: new Date(row.created_at),
    currentSince: toDate(row.current_since),
    retiredAt: toDate(row.retired_at),
  };
}

function toDate(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
