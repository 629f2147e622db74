// A database with the first schema is migrated without losing data.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { withFolder } from '../../support/server-process.ts';
import { after, IDLE_SECONDS, NOW, newKey, subscribeTo } from './contract/fixture.ts';

/** The schema after the migration `2026-11-22-accounts` alone. */
const FIRST_SCHEMA = `
  CREATE TABLE "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
  CREATE TABLE "kysely_migration_lock"
    ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
  CREATE TABLE "users" ("id" text primary key, "email" text not null, "email_key" text not null unique,
    "password_hash" text not null, "roles" text not null, "created_at" bigint not null, "disabled_at" bigint);
  CREATE TABLE "sessions" ("id" text primary key, "user_id" text not null references "users" ("id"),
    "generation" bigint not null, "created_at" bigint not null, "authenticated_at" bigint not null,
    "last_used_at" bigint not null, "expires_at" bigint not null, "revoked_at" bigint, "user_agent" text,
    "ip_address" text);
  CREATE INDEX "sessions_by_user" on "sessions" ("user_id");
  CREATE TABLE "revocations" ("id" integer primary key autoincrement,
    "session_id" text not null references "sessions" ("id"), "revoked_at" bigint not null);
  CREATE INDEX "revocations_by_time" on "revocations" ("revoked_at");
  CREATE TABLE "signing_keys" ("kid" text primary key, "algorithm" text not null, "status" text not null,
    "public_jwk" text not null, "sealed_private_jwk" text not null, "created_at" bigint not null,
    "retired_at" bigint);
  CREATE UNIQUE INDEX "one_current_signing_key" on "signing_keys" ("status") where "status" = 'current';
  INSERT INTO kysely_migration VALUES ('2026-11-22-accounts', '2026-11-22T12:00:00.000Z');
  INSERT INTO kysely_migration_lock VALUES ('migration_lock', 0);
`;

const at = (seconds: number) => after(seconds).getTime();
const ROWS = `
  INSERT INTO users VALUES
    ('ada', 'Ada@example.com', 'ada@example.com', 'hash of ada', '["admin"]', ${at(-9)}, NULL),
    ('bob', 'bob@example.com', 'bob@example.com', 'hash of bob', '[]', ${at(-8)}, ${at(-1)});
  INSERT INTO sessions VALUES
    ('live', 'ada', 7, ${at(-7)}, ${at(-6)}, ${at(-5)}, ${at(999)}, NULL, 'a browser', '::1'),
    ('ended', 'ada', 1, ${at(-7)}, ${at(-7)}, ${at(-7)}, ${at(999)}, ${at(-3)}, NULL, NULL),
    ('disabled', 'bob', 2, ${at(-7)}, ${at(-7)}, ${at(-7)}, ${at(999)}, ${at(-1)}, NULL, NULL);
  INSERT INTO revocations (session_id, revoked_at) VALUES ('ended', ${at(-3)}), ('disabled', ${at(-1)});
  INSERT INTO signing_keys VALUES
    ('old', 'ES256', 'retired', '{"kty":"EC"}', 'sealed old', ${at(-9)}, ${at(-4)}),
    ('new', 'EdDSA', 'current', '{"kty":"OKP"}', 'sealed new', ${at(-4)}, NULL);
`;

/** Runs the function with two stores, opened concurrently on a file with the first schema. */
async function withUpgraded(run: (store: Store, other: Store) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, 'bandha.db');
    const sqlite = new DatabaseSync(path);
    sqlite.exec(FIRST_SCHEMA + ROWS);
    sqlite.close();
    const stores = await Promise.all([openStore(`sqlite:${path}`), openStore(`sqlite:${path}`)]);
    try {
      await run(...stores);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  });
}

describe('migrating a database with the first schema', () => {
  it('keeps users', () =>
    withUpgraded(async (store) => {
      const [ada, bob] = await store.listUsers();
      expect(ada).toEqual({
        id: 'ada',
        email: 'Ada@example.com',
        roles: ['admin'],
        createdAt: after(-9),
        disabledAt: undefined,
      });
      expect(bob).toMatchObject({ id: 'bob', disabledAt: after(-1) });
      expect((await store.findUserByEmail('bob@example.com'))?.passwordHash).toBe('hash of bob');
    }));

  it('keeps sessions, which can be refreshed', () =>
    withUpgraded(async (store, other) => {
      const session = {
        id: 'live',
        userId: 'ada',
        generation: 7,
        createdAt: after(-7),
        authenticatedAt: after(-6),
        lastUsedAt: after(-5),
        expiresAt: after(999),
        revokedAt: undefined,
        userAgent: 'a browser',
        ipAddress: '::1',
      };
      expect(await store.listLiveSessions('ada', NOW, IDLE_SECONDS)).toEqual([session]);
      const request = { generation: 7, now: NOW, graceSeconds: 10, idleSeconds: IDLE_SECONDS };
      expect(await other.rotateSession({ ...request, sessionId: 'live' })).toMatchObject({
        outcome: 'ROTATED',
        session: { generation: 8 },
      });
      expect(await store.findSessionStatus('ended')).toMatchObject({ revokedAt: after(-3) });
      expect(await other.findSessionStatus('disabled')).toMatchObject({ revokedAt: after(-1) });
    }));

  it('replays revocations as feed events, in order', () =>
    withUpgraded(async (store) => {
      const kind = 'SESSION_REVOKED';
      const { events } = await subscribeTo(store, after(-1_000));
      expect(events).toEqual([
        { kind, sessionId: 'ended', revokedAt: after(-3) },
        { kind, sessionId: 'disabled', revokedAt: after(-1) },
      ]);
      expect((await subscribeTo(store, after(-2))).events).toMatchObject([{ sessionId: 'disabled' }]);
    }));

  it('keeps signing keys, and accepts a next one', () =>
    withUpgraded(async (store, other) => {
      const kept = [
        {
          kid: 'old',
          algorithm: 'ES256',
          status: 'retired',
          publicJwk: { kty: 'EC' },
          sealedPrivateJwk: 'sealed old',
          createdAt: after(-9),
          currentSince: after(-9),
          retiredAt: after(-4),
        },
        {
          kid: 'new',
          algorithm: 'EdDSA',
          status: 'current',
          publicJwk: { kty: 'OKP' },
          sealedPrivateJwk: 'sealed new',
          createdAt: after(-4),
          currentSince: after(-4),
          retiredAt: undefined,
        },
      ];
      expect(await store.listSigningKeys()).toEqual(kept);
      const next = newKey('next');
      await other.addSigningKeys([next], NOW);
      expect(await store.listSigningKeys()).toEqual([...kept, next]);
    }));

  it('allows removing ended sessions that have feed events', () =>
    withUpgraded(async (store) => {
      const request = { idleSeconds: IDLE_SECONDS, after: undefined, limit: 10 };
      expect(await store.removeEndedSessions({ ...request, before: NOW })).toEqual({
        removed: 2,
        after: undefined,
      });
      expect(await store.removeFeedEvents(after(1), 10)).toBe(2);
    }));
});
