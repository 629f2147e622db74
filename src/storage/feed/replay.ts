// Reading changes as they stand in the table.
import type { Kysely } from 'kysely';
import { type Database, toFeedEvents } from '../tables.ts';
import type { ChangeListener } from './revocation-feed.ts';

/** So that no read takes long, however much has changed. */
export const READ_BATCH = 5_000;

/** Every change there is, each with the roles that its user, where it concerns one, has now. */
export function selectChanges(reader: Kysely<Database>) {
  return reader
    .selectFrom('changes')
    .leftJoin('users', (join) =>
      join.onRef('users.id', '=', 'changes.subject').on('changes.kind', '=', 'ROLES_CHANGED'),
    )
    .select(['changes.id', 'kind', 'subject', 'made_at', 'users.roles'])
    .limit(READ_BATCH);
}

/** Tells the listener of everything from `since` on, some thousands at a time. */
export async function replay(reader: Kysely<Database>, since: Date, listener: ChangeListener): Promise<void> {
  let last = { made_at: since.getTime(), id: 0 };
  for (;;) {
    const rows = await selectChanges(reader)
      .where((where) =>
        where(where.refTuple('made_at', 'changes.id'), '>', where.tuple(last.made_at, last.id)),
      )
      .orderBy('made_at')
      .orderBy('changes.id')
      .execute();
    for (const change of toFeedEvents(rows)) listener(change);
    last = rows.at(-1) ?? last;
    if (rows.length < READ_BATCH) return;
  }
}
