// Noting for every instance what has changed.
import type { Kysely } from 'kysely';
import type { Change } from '../store.ts';
import type { Database } from '../tables.ts';

/** Databases bind a limited number of values in one statement. */
const ROWS_AT_ONCE = 1_000;

/** Inside the transaction that makes the change, so that there is never one without the other. */
export async function noteChanges(
  transaction: Kysely<Database>,
  kind: Change['kind'],
  subjects: readonly string[],
  now: Date,
): Promise<void> {
  for (let from = 0; from < subjects.length; from += ROWS_AT_ONCE) {
    await transaction
      .insertInto('changes')
      .values(
        subjects
          .slice(from, from + ROWS_AT_ONCE)
          .map((subject) => ({ kind, subject, made_at: now.getTime() })),
      )
      .execute();
  }
}
