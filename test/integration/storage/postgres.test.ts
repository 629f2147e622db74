// The contract on PostgreSQL, and opening a store there.
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthError } from '../../../src/errors.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { type Postgres, startPostgres } from '../../support/postgres.ts';
import { prepareProcess } from '../../support/prepared-process.ts';
import { describeStore } from './store-contract.ts';

/** Advisory lock that Kysely holds during a migration. */
const MIGRATION_LOCK = '3853314791062309107';
/** Long enough for the slowest machine. */
const LONG_TIMEOUTS = { statementTimeoutSeconds: 30, connectTimeoutSeconds: 30 };

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres(['-c', 'fsync=off']);
});
afterAll(() => postgres.remove());

describeStore('PostgreSQL', async () => {
  const url = await postgres.createDatabase();
  return {
    open: () => openStore(url, LONG_TIMEOUTS),
    remove: async () => {},
  };
});

describe('a PostgreSQL database', () => {
  it('ten processes can open an empty database at once', async () => {
    const script = 'const store = await openStore(url); await store.ping(); await store.close();';
    const url = await postgres.createDatabase();
    const children = await Promise.all(Array.from({ length: 10 }, () => prepareProcess(script, url)));
    const ended = await Promise.all(children.map((child) => child.run()));
    expect(ended).toEqual(ended.map(() => ({ code: 0, signal: null, error: '' })));
  });

  it('opening waits for the migration of another instance, however long', async () => {
    const url = await postgres.createDatabase();
    const migrating = await postgres.connect(url);
    await migrating.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    const opened = openStore(url, { statementTimeoutSeconds: 0.1 });
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
    await vi.waitUntil(async () => (await postgres.query(url, waiting)).length > 0, { timeout: 30_000 });
    // Longer than the statement timeout of an open store.
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
    ['the user is missing', (url: URL) => (url.username = 'unknown')],
  ])('opening fails without an outage or a password in the error if %s', async (_, change) => {
    const url = new URL(await postgres.createDatabase());
    const good = url.password;
    url.password = 'secret-password';
    if (change(url) === '/missing') url.password = good;
    const error = await openStore(url.href).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(AuthError);
    const shown = inspect(error, { depth: null, showHidden: true });
    for (const secret of ['not-the-password', 'secret-password', url.href])
      expect(shown).not.toContain(secret);
  });

  it('a closed store leaves no connection open', async () => {
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
