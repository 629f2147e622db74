// The store's verbs for keeping house: leases, and removing what nobody needs any more.
import { recordEvents } from '../feed/record.ts';
import type { Store } from '../store.ts';
import type { QueryContext } from '../tables.ts';

type MaintenanceMethods = Pick<
  Store,
  'takeLease' | 'removeEndedSessions' | 'removeChanges' | 'removeKnownNetworks' | 'clearLimits'
>;

export function createMaintenanceQueries({
  db,
  hasRowLocks: locksRows,
  poll: wake,
}: QueryContext): MaintenanceMethods {
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
        const looked = await transaction
          .selectFrom('sessions')
          .select(['id', 'revoked_at', 'expires_at', 'last_used_at'])
          .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
          .orderBy('id')
          .limit(limit)
          .execute();
        const endedAt = (row: (typeof looked)[number]) =>
          Math.min(row.revoked_at ?? Infinity, row.expires_at, row.last_used_at + idleSeconds * 1000);
        const ended = looked.filter((row) => endedAt(row) < before.getTime()).map(({ id }) => id);
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
                    // One that is used in this moment, after all.
                    .where('last_used_at', '<', before.getTime())
                    // Whoever has one locked may wait for another that is locked here.
                    .$if(locksRows, (query) => query.forUpdate().skipLocked()),
                )
                .returning('id')
                .execute();
        return {
          removed: removed.length,
          after: looked.length < limit ? undefined : looked.at(-1)?.id,
        };
      }),

    async clearLimits(subject, now) {
      await recordEvents(db, 'LIMITS_CLEARED', [subject], now);
      wake();
    },

    async removeKnownNetworks(before, limit) {
      const removed = await db
        .deleteFrom('known_networks')
        // One that is used in this moment stays.
        .where('last_used_at', '<', before.getTime())
        .where((where) =>
          where(where.refTuple('user_id', 'network'), 'in', (select) =>
            select
              .selectFrom('known_networks')
              .select(['user_id', 'network'])
              .where('last_used_at', '<', before.getTime())
              .orderBy('last_used_at')
              .limit(limit)
              .$if(locksRows, (query) => query.forUpdate().skipLocked())
              .$asTuple('user_id', 'network'),
          ),
        )
        .returning('user_id')
        .execute();
      return removed.length;
    },

    async removeChanges(before, limit) {
      const removed = await db
        .deleteFrom('changes')
        .where('id', 'in', (select) =>
          select
            .selectFrom('changes')
            .select('id')
            .where('made_at', '<', before.getTime())
            .orderBy('made_at')
            .limit(limit)
            .$if(locksRows, (query) => query.forUpdate().skipLocked()),
        )
        .returning('id')
        .execute();
      return removed.length;
    },
  };
}
