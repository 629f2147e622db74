// Types of the tables for Kysely, and conversions from rows to the types of store.ts. Times are milliseconds since 1970.

import type { Generated, Kysely, Selectable } from 'kysely';
import type { Outage } from '../sessions/refresh-policy.ts';
import type { Session } from '../sessions/session.ts';
import type { FeedEvent, SigningKeyRow, SigningKeyStatus, User } from './store.ts';

export interface Database {
  users: {
    id: string;
    email: string;
    email_key: string;
    password_hash: string;
    /** JSON array of strings. */
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
  /** Networks from which accounts have signed in, so that later logins from them are recognized. */
  known_networks: {
    user_id: string;
    /** Pseudonym; the address cannot be computed from it without the secret. */
    network: string;
    last_used_at: number;
  };
  /** Events of the revocation feed, for every instance. */
  changes: {
    /** Follows the order of commits in SQLite; not in PostgreSQL. */
    id: Generated<number>;
    kind: FeedEvent['kind'];
    /** Id of a session or a user, kid of a key, or pseudonym of an account, depending on `kind`. */
    subject: string;
    made_at: number;
  };
  /** Leases of background jobs, each of which runs on one instance at a time. */
  leases: {
    task: string;
    holder: string;
    expires_at: number;
  };
  signing_keys: {
    kid: string;
    algorithm: string;
    status: SigningKeyStatus;
    /** JSON Web Key. */
    public_jwk: string;
    /** JSON Web Key, encrypted with the secret. */
    sealed_private_jwk: string;
    created_at: number;
    current_since: number | null;
    retired_at: number | null;
  };
}

/** Connections and feed, as the query functions use them. */
export interface QueryContext {
  db: Kysely<Database>;
  /** Connection for queries that write nothing. The same as `db` in PostgreSQL. */
  reader: Kysely<Database>;
  /** Whether transactions have to lock rows they base a decision on. False in SQLite, where only one can write at a time. */
  hasRowLocks: boolean;
  /** Publishes committed events to this process's subscribers at once; other instances read them from the database. */
  publish(events: readonly FeedEvent[]): void;
  /** Makes the feed read new events at once. For committed events that `publish` is not called with. */
  poll(): void;
  /** @returns the most recent outage that this process has seen */
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

/** A row of `changes`; `roles` are the current roles of the user of `ROLES_CHANGED`, null for other kinds. */
export type FeedEventRow = Pick<Selectable<Database['changes']>, 'kind' | 'subject' | 'made_at'> & {
  roles: string | null;
};

/** Converts rows to events. Skips unknown kinds, which a newer version on the same database may have recorded. */
export function toFeedEvents(rows: readonly FeedEventRow[]): FeedEvent[] {
  return rows.flatMap((row) => toFeedEvent(row) ?? []);
}

function toFeedEvent(row: FeedEventRow): FeedEvent | undefined {
  const at = new Date(row.made_at);
  const events: Record<FeedEvent['kind'], FeedEvent> = {
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
  return events[row.kind];
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
