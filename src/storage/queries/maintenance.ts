// Store methods for background jobs: leases, and removal of rows that are no longer needed.
import { recordEvents } from '../feed/record.ts';
import type { Store } from '../store.ts';
import type { QueryContext } from '../tables.ts';

type MaintenanceMethods = Pick<
  Store,
  'takeLease' | 'removeEndedSessions' | 'removeFeedEvents' | 'removeKnownNetworks' | 'clearLimits'
>;

export function createMaintenanceQueries({ db, hasRowLocks, poll }: QueryContext): MaintenanceMethods {
  return {
    async takeLease(task, holder, now, seconds) {
      const lease = { holder, expires_at: now.getTime() + seconds * 1000 };
      const taken = await db
        .insertInto('leases')
        .values({ task, ...lease })
        .onConflict((conflict) =>
          conflict
            .column('task')
            .doUpdateSet(lease)
            .where((where) =>
              where.or([
                where('leases.holder', '=', holder),
                where('leases.expires_at', '<=', now.getTime()),
              ]),
            ),
        )
        .returning('holder')
        .executeTakeFirst();
      return taken !== undefined;
    },

    removeEndedSessions: ({ before, idleSeconds, after, limit }) =>
      db.transaction().execute(async (transaction) => {
        const rows = await transaction
          .selectFrom('sessions')
          .select(['id', 'revoked_at', 'expires_at', 'last_used_at'])
          .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
          .orderBy('id')
          .limit(limit)
          .execute();
        const endedAt = (row: (typeof rows)[number]) =>
          Math.min(row.revoked_at ?? Infinity, row.expires_at, row.last_used_at + idleSeconds * 1000);
        const ended = rows.filter((row) => endedAt(row) < before.getTime()).map(({ id }) => id);
        const removed =
          ended.length === 0
            ? []
            : await transaction
                .deleteFrom('sessions')
                .where('id', 'in', (select) =>
                  select
                    .selectFrom('sessions')
                    .select('id')
                    .where('id', 'in', ended)
                    // Checked again: it may have been refreshed since it was read.
                    .where('last_used_at', '<', before.getTime())
                    // Skips locked rows: waiting for them could deadlock with the transaction that locked them.
                    .$if(hasRowLocks, (query) => query.forUpdate().skipLocked()),
                )
                .returning('id')
                .execute();
        return {
          removed: removed.length,
          after: rows.length < limit ? undefined : rows.at(-1)?.id,
        };
      }),

    async clearLimits(subject, now) {
      await recordEvents(db, 'LIMITS_CLEARED', [subject], now);
      poll();
    },

    async removeKnownNetworks(before, limit) {
      const removed = await db
        .deleteFrom('known_networks')
        // Checked again here: it may be used in the meantime.
        .where('last_used_at', '<', before.getTime())
        .where((where) =>
          where(where.refTuple('user_id', 'network'), 'in', (select) =>
            select
              .selectFrom('known_networks')
              .select(['user_id', 'network'])
              .where('last_used_at', '<', before.getTime())
              .orderBy('last_used_at')
              .limit(limit)
              .$if(hasRowLocks, (query) => query.forUpdate().skipLocked())
              .$asTuple('user_id', 'network'),
          ),
        )
        .returning('user_id')
        .execute();
      return removed.length;
    },

    async removeFeedEvents(before, limit) {
      const removed = await db
        .deleteFrom('changes')
        .where('id', 'in', (select) =>
          select
            .selectFrom('changes')
            .select('id')
            .where('made_at', '<', before.getTime())
            .orderBy('made_at')
            .limit(limit)
            .$if(hasRowLocks, (query) => query.forUpdate().skipLocked()),
        )
        .returning('id')
        .execute();
      return removed.length;
    },
  };
}
