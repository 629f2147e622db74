// Hears of changes in an SQLite file: a counter in shared memory tells when another connection has committed.
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { READ_BATCH, replay, selectChanges } from '../feed/replay.ts';
import { createSerialQueue, createSubscribers, type RevocationFeed } from '../feed/revocation-feed.ts';
import { type Database, toFeedEvents } from '../tables.ts';

const POLL_MS = 200;

/** @param sqlite the connection under `reader` */
export function createSqliteFeed(reader: Kysely<Database>, sqlite: DatabaseSync): RevocationFeed {
  const subscribers = createSubscribers();
  const serialize = createSerialQueue();
  // Changes when another connection has committed to the file, and costs a read of shared memory.
  const versionQuery = sqlite.prepare('PRAGMA data_version');
  const readVersion = () => versionQuery.get()?.data_version;
  let seenVersion: unknown;
  /** The last one told; SQLite has one writer at a time, so their ids follow their commits. */
  let lastId = 0;
  let syncedAt = -Infinity;
  let isPollRequested = false;

  const read = () => selectChanges(reader).where('changes.id', '>', lastId).orderBy('changes.id').execute();

  async function publishNew(): Promise<void> {
    if (subscribers.size === 0) return;
    const startedAt = performance.now();
    const version = readVersion();
    if (version !== seenVersion || isPollRequested) {
      isPollRequested = false;
      let rows: Awaited<ReturnType<typeof read>>;
      do {
        rows = await read();
        subscribers.publish(toFeedEvents(rows));
        lastId = rows.at(-1)?.id ?? lastId;
      } while (rows.length === READ_BATCH);
    }
    seenVersion = version;
    syncedAt = startedAt;
  }

  // A look that fails leaves `toldAt` behind, which says so; the next one reads again.
  const poll = () =>
    serialize(publishNew).catch(() => {
      isPollRequested = true;
    });
  const timer = setInterval(poll, POLL_MS).unref();

  return {
    publish: subscribers.publish,
    poll() {
      isPollRequested = true;
      void poll();
    },
    syncedAt: () => syncedAt,
    lastOutage: () => undefined,
    async subscribe(listener, since) {
      await serialize(async () => {
        if (subscribers.size === 0) lastId = await findNewestId(reader);
        // What is changed from here on is told with the others; what was changed since, to this one.
        const leave = subscribers.add(listener, since);
        try {
          await replay(reader, since(), listener);
        } catch (error) {
          leave();
          throw error;
        }
      });
      await poll();
    },
    async stop() {
      clearInterval(timer);
      await serialize(async () => {});
    },
  };
}

async function findNewestId(reader: Kysely<Database>): Promise<number> {
  const newest = await reader
    .selectFrom('changes')
    .select((select) => select.fn.max('id').as('id'))
    .executeTakeFirst();
  return newest?.id ?? 0;
}
