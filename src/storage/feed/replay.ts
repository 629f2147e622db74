// Reads recorded feed events from the table `changes`, by time.
import type { Kysely } from 'kysely';
import { type Database, toFeedEvents } from '../tables.ts';
import type { FeedListener } from './revocation-feed.ts';

/** Rows of one read, so that no read takes long, however many events there are. */
export const READ_BATCH = 5_000;

/** @returns a query for up to `READ_BATCH` events, each `ROLES_CHANGED` with the current roles of its user */
export function selectEvents(reader: Kysely<Database>) {
  return reader
    .selectFrom('changes')
    .leftJoin('users', (join) =>
      join.onRef('users.id', '=', 'changes.subject').on('changes.kind', '=', 'ROLES_CHANGED'),
    )
    .select(['changes.id', 'kind', 'subject', 'made_at', 'users.roles'])
    .limit(READ_BATCH);
}

/** Calls the listener with every event made at `since` or later, ordered by time, in batches. */
export async function replay(reader: Kysely<Database>, since: Date, listener: FeedListener): Promise<void> {
  let last = { made_at: since.getTime(), id: 0 };
  for (;;) {
    const rows = await selectEvents(reader)
      .where((where) =>
        where(where.refTuple('made_at', 'changes.id'), '>', where.tuple(last.made_at, last.id)),
      )
      .orderBy('made_at')
      .orderBy('changes.id')
      .execute();
    for (const event of toFeedEvents(rows)) listener(event);
    last = rows.at(-1) ?? last;
    if (rows.length < READ_BATCH) return;
  }
}
