// Replaces revocations by feed events of every kind, and adds leases and the next signing key.
import { type Kysely, sql } from 'kysely';
import type { DatabaseKind } from '../engine.ts';
import { autoIncrement } from './auto-increment.ts';

export async function up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void> {
  const table = db.schema
    .createTable('changes')
    .addColumn('id', ...autoIncrement(kind))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('made_at', 'bigint', (c) => c.notNull());
  // Transactions in PostgreSQL do not commit in the order of their ids, so the feed compares snapshots instead.
  const withTransactionId = table.addColumn('transaction_id', sql`xid8`, (c) =>
    c.notNull().defaultTo(sql`pg_current_xact_id()`),
  );
  await (kind === 'postgres' ? withTransactionId : table).execute();
  await db.schema.createIndex('changes_by_time').on('changes').columns(['made_at', 'id']).execute();
  await sql`
    insert into changes (kind, subject, made_at)
    select 'SESSION_REVOKED', session_id, revoked_at from revocations order by id
  `.execute(db);
  await db.schema.dropTable('revocations').execute();
  if (kind === 'postgres') await createNotifyTrigger(db);

  await db.schema
    .createTable('leases')
    .addColumn('task', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();

  await db.schema.alterTable('signing_keys').addColumn('current_since', 'bigint').execute();
  await sql`update signing_keys set current_since = created_at`.execute(db);
  await db.schema
    .createIndex('one_next_signing_key')
    .on('signing_keys')
    .column('status')
    .unique()
    .where(sql.ref('status'), '=', 'next')
    .execute();
}

/** Notifies the feeds of all instances at each commit that adds events, including rows inserted by hand. */
async function createNotifyTrigger(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('changes_by_transaction')
    .on('changes')
    .columns(['transaction_id', 'id'])
    .execute();
  await sql`
    create function bandha_notify_changes() returns trigger language plpgsql as $$
    begin
      notify bandha_changes;
      return null;
    end
    $$
  `.execute(db);
  await sql`
    create trigger bandha_notify_changes after insert on changes
    for each statement execute function bandha_notify_changes()
  `.execute(db);
}
