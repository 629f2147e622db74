// The tables as Kysely sees them, and how rows become the port's values. Instants are milliseconds since 1970.
import type { Generated, Kysely, Selectable } from 'kysely';
import type { Session, SigningKeyRow, User } from './store.ts';

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
  /** One row a revoked session, in the order of their commits. */
  revocations: {
    id: Generated<number>;
    session_id: string;
    revoked_at: number;
  };
  signing_keys: {
    kid: string;
    algorithm: string;
    status: string;
    /** JSON. */
    public_jwk: string;
    sealed_private_jwk: string;
    created_at: number;
    retired_at: number | null;
  };
}

/** The one connection that writes, and one that only reads; in memory the same. */
export interface Connections {
  db: Kysely<Database>;
  reader: Kysely<Database>;
}

export function toUser(row: Selectable<Database['users']>): User {
  return {
    id: row.id,
    email: row.email,
    roles: JSON.parse(row.roles),
    createdAt: new Date(row.created_at),
    disabledAt: row.disabled_at === null ? undefined : new Date(row.disabled_at),
  };
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
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
    userAgent: row.user_agent ?? undefined,
    ipAddress: row.ip_address ?? undefined,
  };
}

export function toSigningKeyRow(row: Selectable<Database['signing_keys']>): SigningKeyRow {
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    status: row.status === 'current' ? 'current' : 'retired',
    publicJwk: JSON.parse(row.public_jwk),
    sealedPrivateJwk: row.sealed_private_jwk,
    createdAt: new Date(row.created_at),
  };
}
