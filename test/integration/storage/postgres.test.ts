// The contract on a PostgreSQL server, and what is PostgreSQL's own about opening a store there.
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthError } from '../../../src/errors.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { type Postgres, startPostgres } from '../../support/postgres.ts';
import { prepareProcess } from '../../support/prepared-process.ts';
import { describeStore } from './store-contract.ts';

/** The lock under which Kysely migrates. */
const MIGRATION_LOCK = '3853314791062309107';
/** However slow the machine is. */
const PATIENT = { statementTimeoutSeconds: 30, connectTimeoutSeconds: 30 };

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres(['-c', 'fsync=off']);
});
afterAll(() => postgres.remove());

describeStore('PostgreSQL', async () => {
  const url = await postgres.createDatabase();
  return {
    open: () => openStore(url, PATIENT),
    remove: async () => {},
  };
});

describe('a PostgreSQL database', () => {
  it('is opened, while empty, by ten processes at once', async () => {
    const script = 'const store = await openStore(url); await store.ping(); await store.close();';
    const url = await postgres.createDatabase();
    const children = await Promise.all(Array.from({ length: 10 }, () => prepareProcess(script, url)));
    const ended = await Promise.all(children.map((child) => child.run()));
    expect(ended).toEqual(ended.map(() => ({ code: 0, signal: null, fault: '' })));
  });

  it('is opened when another instance is done with its migration, however long that takes', async () => {
    const url = await postgres.createDatabase();
    const migrating = await postgres.connect(url);
    await migrating.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    const opened = openStore(url, { statementTimeoutSeconds: 0.1 });
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
    await vi.waitUntil(async () => (await postgres.query(url, waiting)).length > 0, { timeout: 30_000 });
    // Longer than any statement may take once the store is open.
    await migrating.query('select pg_sleep(1.5)');
    await migrating.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`);
    await migrating.end();
    const store = await opened;
    await store.ping();
    await store.close();
  });

  it.each([
    ['the password is wrong', (url: URL) => (url.password = 'not-the-password')],
    ['the database is missing', (url: URL) => (url.pathname = '/missing')],
    ['the user is missing', (url: URL) => (url.username = 'nobody')],
  ])('cannot be opened where %s, which is no outage, and the error has no password', async (_, spoil) => {
    const url = new URL(await postgres.createDatabase());
    const good = url.password;
    url.password = 'kept-to-itself';
    if (spoil(url) === '/missing') url.password = good;
    const error = await openStore(url.href).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(AuthError);
    const shown = inspect(error, { depth: null, showHidden: true });
    for (const secret of ['not-the-password', 'kept-to-itself', url.href])
      expect(shown).not.toContain(secret);
  });

  it('has no connection of a store any more that has been closed', async () => {
    const url = await postgres.createDatabase();
    const store = await openStore(url);
    await store.subscribe(
      () => {},
      () => new Date(0),
    );
    await Promise.all(Array.from({ length: 20 }, () => store.listUsers()));
    const connected = `select application_name as name from pg_stat_activity
      where datname = current_database() and application_name like 'bandha%'`;
    const names = (await postgres.query(url, connected)).map(({ name }) => name);
    expect(names.filter((name) => name === 'bandha feed')).toHaveLength(1);
    expect(names.length).toBeLessThanOrEqual(11);
    await store.close();
    await vi.waitUntil(async () => (await postgres.query(url, connected)).length === 0, { timeout: 30_000 });
  });
});
