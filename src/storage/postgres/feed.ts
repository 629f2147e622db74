// Hears of changes in PostgreSQL: a connection of its own listens, reads what is new when woken, and is replaced when it breaks.
import { setTimeout as wait } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import pg from 'pg';
import type { Log } from '../../utils/log.ts';
import { READ_BATCH, replay } from '../feed/replay.ts';
import {
  createSerialQueue,
  createSubscribers,
  type Outage,
  type RevocationFeed,
} from '../feed/revocation-feed.ts';
import { describeOutage } from '../outage.ts';
import { type ChangeRow, type Database, toFeedEvents } from '../tables.ts';
import type { Interceptor } from '../wrap-driver.ts';
import { clientConfig, type PostgresOptions, terminate } from './dialect.ts';

/** Read at least this often: a connection that is silently dead is found out, and the time told is never old. */
const HEARTBEAT_MS = 1_000;
/** What comes within this time of a read is read together. */
const MIN_READ_INTERVAL_MS = 5;
const READ_TIMEOUT_MS = 2_000;
const OUTAGE_MERGE_MS = 60_000;
const RECONNECT_MS = { first: 50, most: 1_000 };

/**
 * What was not committed yet in the snapshot `$1`: so nothing is read twice and nothing is missed, in whatever order
 * transactions commit. A page begins after the change (`$2`, `$3`); the first one with the oldest transaction that had
 * not ended.
 */
const READ_NEW = `
  select pg_current_snapshot()::text as snapshot, page.*
  from (select) as always
  left join lateral (
    select changes.*, users.roles
    from changes
    left join users on changes.kind = 'ROLES_CHANGED' and users.id = changes.subject
    where (changes.transaction_id, changes.id) > ($2::xid8, $3::bigint)
      and not pg_visible_in_snapshot(changes.transaction_id, $1::pg_snapshot)
    order by changes.transaction_id, changes.id
    limit ${READ_BATCH}
  ) as page on true
`;

/** Where nothing is new, there is one row in which all but the snapshot is null. */
type Row = ChangeRow & { snapshot: string; id: number | null; transaction_id: string };

export function createPostgresFeed(
  db: Kysely<Database>,
  options: PostgresOptions,
  interceptor: Interceptor,
  log: Log,
): RevocationFeed {
  const subscribers = createSubscribers();
  const serialize = createSerialQueue();
  const stopping = new AbortController();
  let opening: Promise<void> | undefined;
  let listening: Promise<void> | undefined;
  let syncedAt = -Infinity;
  let outage: Outage | undefined;
  /** Undefined before the first read. */
  let known: string | undefined;
  let wake = () => {};

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...clientConfig({ ...options, statementTimeoutMs: READ_TIMEOUT_MS }),
      application_name: 'bandha feed',
    });
    client.on('error', () => wake()); // the next query says what is wrong
    client.on('end', () => wake());
    client.on('notification', () => wake());
    try {
      await client.connect();
      // First of all, or what is committed in between would be missed.
      await client.query('listen bandha_changes');
      const snapshot = await readSnapshot(client);
      // By time, too, after an interruption: another server may have taken over, and not know of the last transactions.
      await serialize(() => replay(db, subscribers.since(), (change) => subscribers.publish([change])));
      // What was under way before the interruption, and was given an earlier time than the others.
      if (known !== undefined) await publishNew(client);
      // Taken before all that was read, so it holds nothing that was not; the server may not be the one from before.
      known = snapshot;
      await publishNew(client);
      return client;
    } catch (error) {
      terminate(client);
      throw error;
    }
  }

  function publishNew(client: pg.Client): Promise<void> {
    return serialize(async () => {
      const startedAt = performance.now();
      // That of the first page: what is committed while the others are read is new to the next reading.
      let snapshot: string | undefined;
      let last: [transaction: string, id: number] = [xminOf(known ?? ''), 0];
      let rows: readonly Row[];
      do {
        ({ rows } = await client.query<Row>(READ_NEW, [known, ...last]));
        snapshot ??= rows[0]?.snapshot ?? '';
        subscribers.publish(toFeedEvents(rows.filter(({ id }) => id !== null)));
        const end = rows.at(-1);
        if (end !== undefined && end.id !== null) last = [end.transaction_id, end.id];
      } while (rows.length === READ_BATCH);
      if (xmaxOf(snapshot) < xmaxOf(known ?? '')) {
        known = undefined;
        throw new Error('Another server has taken over');
      }
      known = snapshot;
      syncedAt = startedAt;
    });
  }

  /** Reads whenever woken, until the connection breaks or the feed is stopped. */
  async function listen(client: pg.Client): Promise<void> {
    while (!stopping.signal.aborted) {
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      await publishNew(client);
      await pause(MIN_READ_INTERVAL_MS);
      await Promise.race([woken.promise, pause(HEARTBEAT_MS)]);
    }
  }

  async function listenOn(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first;
    while (client !== undefined) {
      const current: pg.Client = client;
      const error = await listen(current).catch((error: unknown) => error);
      terminate(current);
      if (stopping.signal.aborted) return;
      log.warn(
        { reason: describeOutage(error) },
        'ended sessions are not heard of: the database is asked about each, and where it is silent tokens are refused after BANDHA_MAX_STALE_SECONDS',
      );
      client = await reconnect();
    }
  }

  async function reconnect(): Promise<pg.Client | undefined> {
    const lostAt = syncedAt;
    for (let delay = RECONNECT_MS.first; ; delay = Math.min(2 * delay, RECONNECT_MS.most)) {
      await pause(delay);
      if (stopping.signal.aborted) return undefined;
      try {
        const client = await connect();
        const milliseconds = performance.now() - lostAt;
        const from = Date.now() - milliseconds;
        // Of a server that comes and goes, it is one.
        const isSame = outage !== undefined && from - outage.to.getTime() < OUTAGE_MERGE_MS;
        outage = { from: isSame && outage ? outage.from : new Date(from), to: new Date() };
        log.info(
          { seconds: Math.round(milliseconds / 1000) },
          'ended sessions are heard of again, none was missed',
        );
        return client;
      } catch (error) {
        log.debug({ reason: describeOutage(error) }, 'changes are still not heard');
      }
    }
  }

  /** Begins to listen, once; where that fails, whoever follows next tries again. */
  function open(): Promise<void> {
    opening ??= interceptor(connect).then(
      (client) => {
        listening = listenOn(client);
      },
      (error) => {
        opening = undefined;
        throw error;
      },
    );
    return opening;
  }

  /** Shorter where the feed is stopped. */
  async function pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
  }

  return {
    publish: subscribers.publish,
    poll: () => wake(),
    syncedAt: () => syncedAt,
    lastOutage: () => outage,
    async subscribe(listener, since) {
      const isFirst = opening === undefined;
      const leave = subscribers.add(listener, since);
      try {
        await open();
        if (isFirst) return;
        await serialize(() => replay(db, since(), listener));
      } catch (error) {
        leave();
        throw error;
      }
    },
    async stop() {
      stopping.abort();
      wake();
      await listening;
    },
  };
}

async function readSnapshot(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  return rows[0]?.snapshot;
}

/** Every transaction before had ended: `xmin` of a snapshot `xmin:xmax:…`. */
function xminOf(snapshot: string): string {
  return snapshot.split(':')[0] || '0';
}

/** The first transaction that had not begun: `xmax` of a snapshot `xmin:xmax:…`. */
function xmaxOf(snapshot: string): bigint {
  return BigInt(snapshot.split(':')[1] ?? 0);
}
