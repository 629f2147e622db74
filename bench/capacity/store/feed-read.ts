// The read that every instance's feed does, as an operation: its statement is asked of the server that it was sent to.
import pg from 'pg';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Postgres } from '../../../test/support/postgres.ts';
import type { Operation } from './operations.ts';

export interface FeedRead extends Operation {
  /** From now on what has been committed so far counts as read. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** What the feed gives its statement after it has read everything up to a snapshot, by the type that is asked for. */
const PARAMETERS: Readonly<Record<string, (snapshot: string) => unknown>> = {
  pg_snapshot: (snapshot) => snapshot,
  // Its oldest transaction, and the first change.
  xid8: (snapshot) => snapshot.split(':')[0],
  bigint: () => 0,
};

/** Reads on as many connections as there are instances at a time. */
export async function createFeedRead(
  postgres: Postgres,
  url: string,
  connections: number,
): Promise<FeedRead> {
  const text = await findStatement(postgres, url);
  const parameters = [...text.matchAll(/\$(\d+)::(\w+)/g)]
    .toSorted(([, a], [, b]) => Number(a) - Number(b))
    .map(([, , type = '']) => PARAMETERS[type]);
  const clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }));
  for (const client of clients) await client.connect();
  const free = [...clients];
  let known = '';
  const feedRead: FeedRead = {
    name: 'read of the feed, nothing new',
    async run() {
      const client = free.pop();
      if (client === undefined) throw new Error('There are fewer connections than readers');
      await client.query(
        text,
        parameters.map((toValue) => toValue?.(known)),
      );
      free.push(client);
    },
    async prepare() {
      const [row] = await postgres.query(url, 'select pg_current_snapshot()::text as snapshot');
      known = String(row?.snapshot);
    },
    async close() {
      for (const client of clients) await client.end();
    },
  };
  await feedRead.prepare();
  return feedRead;
}

async function findStatement(postgres: Postgres, url: string): Promise<string> {
  const store = await openStore(url);
  try {
    await store.subscribe(
      () => {},
      () => new Date(),
    );
    const rows = await postgres.query(
      url,
      `select query from pg_stat_activity
        where datname = current_database() and application_name = 'bandha feed' and query like '%pg_snapshot%'`,
    );
    const query = rows[0]?.query;
    if (typeof query !== 'string') throw new Error('The statement of the feed was not found');
    return query;
  } finally {
    await store.close();
  }
}
