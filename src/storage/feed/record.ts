// Noting for every instance what has changed.
import type { Kysely } from 'kysely';
import type { FeedEvent } from '../store.ts';
import type { Database } from '../tables.ts';

/** Databases bind a limited number of values in one statement. */
const INSERT_BATCH = 1_000;

/** Inside the transaction that makes the change, so that there is never one without the other. */
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
