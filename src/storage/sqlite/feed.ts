// Hears of changes in an SQLite file: a counter in shared memory tells when another connection has committed.
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { CHANGES_AT_ONCE, selectChanges, tellPast } from '../feed/replay.ts';
import { type ChangeFeed, createFollowers, createTurns } from '../feed/revocation-feed.ts';
import { type Database, readChanges } from '../tables.ts';

const POLL_MS = 200;

/** @param sqlite the connection under `reader` */
export function createSqliteFeed(reader: Kysely<Database>, sqlite: DatabaseSync): ChangeFeed {
  const followers = createFollowers();
  const inTurn = createTurns();
  // Changes when another connection has committed to the file, and costs a read of shared memory.
  const versionQuery = sqlite.prepare('PRAGMA data_version');
  const readVersion = () => versionQuery.get()?.data_version;
  let seenVersion: unknown;
  /** The last one told; SQLite has one writer at a time, so their ids follow their commits. */
  let lastId = 0;
  let toldAt = -Infinity;
  let isAwake = false;

  const read = () => selectChanges(reader).where('changes.id', '>', lastId).orderBy('changes.id').execute();

  async function tellNew(): Promise<void> {
    if (followers.size === 0) return;
    const startedAt = performance.now();
    const version = readVersion();
    if (version !== seenVersion || isAwake) {
      isAwake = false;
      let rows: Awaited<ReturnType<typeof read>>;
      do {
        rows = await read();
        followers.tell(readChanges(rows));
        lastId = rows.at(-1)?.id ?? lastId;
      } while (rows.length === CHANGES_AT_ONCE);
    }
    seenVersion = version;
    toldAt = startedAt;
  }

  // A look that fails leaves `toldAt` behind, which says so; the next one reads again.
  const look = () =>
    inTurn(tellNew).catch(() => {
      isAwake = true;
    });
  const timer = setInterval(look, POLL_MS).unref();

  return {
    tell: followers.tell,
    wake() {
      isAwake = true;
      void look();
    },
    toldAt: () => toldAt,
    lastGap: () => undefined,
    async follow(listener, since) {
      await inTurn(async () => {
        if (followers.size === 0) lastId = await findNewestId(reader);
        // What is changed from here on is told with the others; what was changed since, to this one.
        const leave = followers.add(listener, since);
        try {
          await tellPast(reader, since(), listener);
        } catch (error) {
          leave();
          throw error;
        }
      });
      await look();
    },
    async stop() {
      clearInterval(timer);
      await inTurn(async () => {});
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
