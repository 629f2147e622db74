// Revocation feed on SQLite: polls a counter in shared memory that changes with each commit of another connection.
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { createSerialQueue } from '../../utils/serial-queue.ts';
import { READ_BATCH, replay, selectEvents } from '../feed/replay.ts';
import { createSubscribers, type RevocationFeed } from '../feed/revocation-feed.ts';
import { type Database, toFeedEvents } from '../tables.ts';

const POLL_MS = 200;

/** @param sqlite the connection that `reader` uses */
export function createSqliteFeed(reader: Kysely<Database>, sqlite: DatabaseSync): RevocationFeed {
  const subscribers = createSubscribers();
  const serialize = createSerialQueue();
  // Cheap: reads shared memory, not the file.
  const versionQuery = sqlite.prepare('PRAGMA data_version');
  const readVersion = () => versionQuery.get()?.data_version;
  let seenVersion: unknown;
  /** Id of the last published event. SQLite has one writer at a time, so ids follow the order of commits. */
  let lastId = 0;
  let syncedAt = -Infinity;
  let isPollRequested = false;

  const read = () => selectEvents(reader).where('changes.id', '>', lastId).orderBy('changes.id').execute();

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

  // After a failed read, `syncedAt` shows how old the published events are, and the next poll reads again.
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
        // Subscribes first: later events are published to all subscribers, earlier ones are replayed to this one.
        const unsubscribe = subscribers.add(listener, since);
        try {
          await replay(reader, since(), listener);
        } catch (error) {
          unsubscribe();
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
