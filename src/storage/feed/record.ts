// Records feed events in the table `changes`, from which every instance reads them.
import type { Kysely } from 'kysely';
import type { FeedEvent } from '../store.ts';
import type { Database } from '../tables.ts';

/** Rows of one statement: databases limit the number of bound values. */
const INSERT_BATCH = 1_000;

/**
 * Inserts one event of `kind` for each subject.
 *
 * @param transaction the transaction that makes the change, so that neither is committed without the other
 */
export async function recordEvents(
  transaction: Kysely<Database>,
  kind: FeedEvent['kind'],
  subjects: readonly string[],
  now: Date,
): Promise<void> {
  for (let from = 0; from < subjects.length; from += INSERT_BATCH) {
    await transaction
      .insertInto('changes')
      .values(
        subjects
          .slice(from, from + INSERT_BATCH)
          .map((subject) => ({ kind, subject, made_at: now.getTime() })),
      )
      .execute();
  }
}
