// Revocation feed on PostgreSQL: a dedicated connection listens for notifications, and reads new events by snapshot.
import { setTimeout as wait } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import pg from 'pg';
import type { Outage } from '../../sessions/refresh-policy.ts';
import type { Log } from '../../utils/log.ts';
import { createSerialQueue } from '../../utils/serial-queue.ts';
import { READ_BATCH, replay } from '../feed/replay.ts';
import { createSubscribers, type RevocationFeed } from '../feed/revocation-feed.ts';
import { describeOutage } from '../outage.ts';
import { type Database, type FeedEventRow, toFeedEvents } from '../tables.ts';
import type { Interceptor } from '../wrap-driver.ts';
import { clientConfig, type PostgresOptions, terminate } from './dialect.ts';

/** Maximum time between two reads. Detects a dead connection, and keeps `syncedAt` recent while nothing changes. */
const HEARTBEAT_MS = 1_000;
/** Minimum time between two reads, so that events of a burst are read together. */
const MIN_READ_INTERVAL_MS = 5;
const READ_TIMEOUT_MS = 2_000;
/** Outages with less time between them count as one: the server is restarting or failing over. */
const OUTAGE_MERGE_MS = 60_000;
/** Delays between attempts to reconnect, doubled after each. */
const RECONNECT_DELAY_MS = { first: 50, max: 1_000 };

/**
 * Selects the events that were not committed yet in the snapshot `$1`, in pages. Every event is read exactly once, in
 * whatever order transactions commit. A page begins after transaction `$2` and id `$3`; the first page begins with the
 * oldest transaction that was in progress in the snapshot.
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

/** Row of `READ_NEW`. If there is no new event, one row has the snapshot, and null in all other columns. */
type Row = FeedEventRow & { snapshot: string; id: number | null; transaction_id: string };

/**
 * Creates a feed that connects at the first subscription and reconnects by itself.
 *
 * @param db the pool, for replays
 */
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
  /** Snapshot of the last read: all events that it contains have been published. Undefined before the first read. */
  let publishedSnapshot: string | undefined;
  /** Ends the pause before the next read. */
  let requestRead = () => {};

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...clientConfig({ ...options, statementTimeoutMs: READ_TIMEOUT_MS }),
      application_name: 'bandha feed',
    });
    client.on('error', () => requestRead()); // that read reports the error
    client.on('end', () => requestRead());
    client.on('notification', () => requestRead());
    try {
      await client.connect();
      // Before the first read, so that no commit falls between the two.
      await client.query('listen bandha_changes');
      const snapshot = await readSnapshot(client);
      // Replays by time as well: after a failover, the new server may lack the last transactions of the old one.
      await serialize(() => replay(db, subscribers.since(), (event) => subscribers.publish([event])));
      // Reads transactions that were in progress when the connection broke: their events can be older than the replay.
      if (publishedSnapshot !== undefined) await publishNew(client);
      // Continues from the snapshot taken before these reads, so nothing is missed; events in between are repeated. It is
      // this server's: after a failover, snapshots of the old server mean nothing.
      publishedSnapshot = snapshot;
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
      // The first page's: the next read then includes what is committed while the other pages are read.
      let snapshot: string | undefined;
      let last: [transaction: string, id: number] = [xminOf(publishedSnapshot ?? ''), 0];
      let rows: readonly Row[];
      do {
        ({ rows } = await client.query<Row>(READ_NEW, [publishedSnapshot, ...last]));
        snapshot ??= rows[0]?.snapshot ?? '';
        subscribers.publish(toFeedEvents(rows.filter(({ id }) => id !== null)));
        const end = rows.at(-1);
        if (end !== undefined && end.id !== null) last = [end.transaction_id, end.id];
      } while (rows.length === READ_BATCH);
      if (xmaxOf(snapshot) < xmaxOf(publishedSnapshot ?? '')) {
        publishedSnapshot = undefined;
        throw new Error('The connection now leads to another PostgreSQL server, after a failover');
      }
      publishedSnapshot = snapshot;
      syncedAt = startedAt;
    });
  }

  /** Reads at each notification and heartbeat, until the connection breaks or the feed is stopped. */
  async function listen(client: pg.Client): Promise<void> {
    while (!stopping.signal.aborted) {
      const requested = Promise.withResolvers<void>();
      requestRead = requested.resolve;
      await publishNew(client);
      await pause(MIN_READ_INTERVAL_MS);
      await Promise.race([requested.promise, pause(HEARTBEAT_MS)]);
    }
  }

  /** Listens on `first`, then on each connection that replaces a broken one, until the feed is stopped. */
  async function listenFrom(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first;
    while (client !== undefined) {
      const current: pg.Client = client;
      const error = await listen(current).catch((cause: unknown) => cause);
      terminate(current);
      if (stopping.signal.aborted) return;
      log.warn(
        { reason: describeOutage(error) },
        'revocation feed disconnected; sessions are checked in the database, or tokens fail with REVOCATIONS_UNAVAILABLE after BANDHA_MAX_STALE_SECONDS',
      );
      client = await reconnect();
    }
  }

  /** @returns undefined if the feed was stopped */
  async function reconnect(): Promise<pg.Client | undefined> {
    const lostAt = syncedAt;
    const { first, max } = RECONNECT_DELAY_MS;
    for (let delay = first; ; delay = Math.min(2 * delay, max)) {
      await pause(delay);
      if (stopping.signal.aborted) return undefined;
      try {
        const client = await connect();
        const milliseconds = performance.now() - lostAt;
        outage = mergeOutages(outage, { from: new Date(Date.now() - milliseconds), to: new Date() });
        log.info(
          { seconds: Math.round(milliseconds / 1000) },
          'revocation feed reconnected; missed events were replayed',
        );
        return client;
      } catch (error) {
        log.debug({ reason: describeOutage(error) }, 'revocation feed still disconnected');
      }
    }
  }

  /** Connects and starts to listen, once. After a failure, the next subscription tries again. */
  function open(): Promise<void> {
    opening ??= interceptor(connect).then(
      (client) => {
        listening = listenFrom(client);
      },
      (error) => {
        opening = undefined;
        throw error;
      },
    );
    return opening;
  }

  /** Ends early if the feed is stopped. */
  async function pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
  }

  return {
    publish: subscribers.publish,
    poll: () => requestRead(),
    syncedAt: () => syncedAt,
    lastOutage: () => outage,
    async subscribe(listener, since) {
      const isFirst = opening === undefined;
      const unsubscribe = subscribers.add(listener, since);
      try {
        await open();
        if (isFirst) return;
        await serialize(() => replay(db, since(), listener));
      } catch (error) {
        unsubscribe();
        throw error;
      }
    },
    async stop() {
      stopping.abort();
      requestRead();
      await listening;
    },
  };
}

function mergeOutages(previous: Outage | undefined, latest: Outage): Outage {
  const isSame = previous !== undefined && latest.from.getTime() - previous.to.getTime() < OUTAGE_MERGE_MS;
  return isSame ? { from: previous.from, to: latest.to } : latest;
}

async function readSnapshot(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  return rows[0]?.snapshot;
}

/** @returns `xmin` of a snapshot `xmin:xmax:…`: every older transaction has ended */
function xminOf(snapshot: string): string {
  return snapshot.split(':')[0] || '0';
}

/** @returns `xmax` of a snapshot `xmin:xmax:…`: no transaction from here on has begun */
function xmaxOf(snapshot: string): bigint {
  return BigInt(snapshot.split(':')[1] ?? 0);
}
