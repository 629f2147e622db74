// Store methods while PostgreSQL is stopped: they fail with STORE_UNAVAILABLE, and recover by themselves.
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { after, IDLE_SECONDS, NOW, newSession, subscribeTo } from './contract/fixture.ts';
import {
  CALLS,
  collectReasons,
  createRecords,
  findReason,
  forEveryMethod,
  rotation,
  session,
  user,
} from './every-method.ts';
import { usePostgres, WAIT_OPTIONS } from './use-postgres.ts';

const server = usePostgres();
const { open, whileStopped } = server;

describe('while PostgreSQL is stopped', () => {
  it('every method fails with STORE_UNAVAILABLE, and recovers by itself', async () => {
    const [store, subscribed] = [await open(), await open()];
    expect(Object.keys(CALLS).toSorted()).toEqual(
      Object.keys(store)
        .filter((name) => name !== 'feedSyncedAt' && name !== 'close')
        .toSorted(),
    );
    await createRecords(store);
    const { waitFor } = await subscribeTo(subscribed, NOW);
    await whileStopped(async () => {
      for (const one of [store, subscribed]) {
        expect(await collectReasons(one)).toEqual(forEveryMethod('STORE_UNAVAILABLE'));
      }
    });
    for (const one of [store, subscribed])
      expect(await collectReasons(one)).toEqual(forEveryMethod(undefined));
    await waitFor(() => true);
  });

  it('opening a store fails, and succeeds after the outage', async () => {
    await whileStopped(async () => expect(await findReason(openStore(server.url))).toBe('STORE_UNAVAILABLE'));
    const store = await open();
    await store.ping();
  });

  it('a subscription fails, and gets every event when it is repeated', async () => {
    const [store, other] = [await open(), await open()];
    await createRecords(other);
    await other.revokeSession({ sessionId: session.id }, NOW, IDLE_SECONDS);
    const early: string[] = [];
    const subscribeEarly = () =>
      store.subscribe(
        ({ kind }) => void early.push(kind),
        () => NOW,
      );
    await whileStopped(async () => {
      for (const subscription of [subscribeEarly(), subscribeEarly()]) {
        expect(await findReason(subscription)).toBe('STORE_UNAVAILABLE');
      }
    });
    const { events, waitFor } = await subscribeTo(store, NOW);
    expect(events).toHaveLength(1);
    await other.changeRoles(user.emailKey, { add: ['author'] }, NOW);
    await waitFor(({ kind }) => kind === 'ROLES_CHANGED');
    // The failed subscriptions get no events.
    expect(early).toEqual([]);
  });

  it('a store can be closed during an outage', async () => {
    const [idle, subscribed] = [await open(), await open()];
    await CALLS.subscribe(subscribed);
    await whileStopped(async () => void (await Promise.all([idle.close(), subscribed.close()])));
  });
});

describe('when connections break', () => {
  it.each([
    ['PostgreSQL stops', () => whileStopped(async () => {})],
    [
      'PostgreSQL ends every connection',
      async () => {
        const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
        await server.query(`select pg_terminate_backend(pid) ${others}`);
      },
    ],
  ])('pending calls fail only with STORE_UNAVAILABLE when %s', async (_, interrupt) => {
    const store = await open({ poolSize: 5 });
    await createRecords(store);
    await CALLS.subscribe(store);
    const { subscribe: _once, ...calls } = CALLS;
    const methods = Object.values(calls);
    const reasons = new Set<unknown>();
    let isOver = false;
    const working = Array.from({ length: 10 }, async (_, first) => {
      for (let i = first; !isOver; i += 1)
        reasons.add(await findReason(methods[i % methods.length]?.(store)));
    });
    for (let round = 0; round < 5; round += 1) {
      await interrupt();
      await vi.waitUntil(async () => (await findReason(store.ping())) === undefined, WAIT_OPTIONS);
    }
    isOver = true;
    await Promise.all(working);
    expect(reasons.difference(new Set([undefined, 'STORE_UNAVAILABLE']))).toEqual(new Set());
    expect(await collectReasons(store)).toEqual(forEveryMethod(undefined));
  });
});

describe('a refresh token whose response may have been lost in an outage', () => {
  const GRACE_SECONDS = 60;

  /** Refreshes before an outage. @returns a function that presents the same token again, seconds after the outage */
  async function refreshBeforeOutage(store: Store, secondsBefore: number) {
    await CALLS.subscribe(store);
    await store.createUser(user);
    const usedAt = after(-secondsBefore, new Date());
    const { id } = newSession(user.id);
    await store.createSession({ ...session, id, lastUsedAt: usedAt, expiresAt: after(10_000, usedAt) });
    const refresh = (now: Date) =>
      store.rotateSession({
        ...rotation,
        sessionId: id,
        now,
        graceSeconds: GRACE_SECONDS,
        idleSeconds: 10_000,
      });
    expect(await refresh(usedAt)).toMatchObject({ outcome: 'ROTATED' });
    let endedAt = usedAt;
    const stoppedAt = performance.now();
    await whileStopped(async () => {
      endedAt = new Date();
    });
    await vi.waitUntil(() => store.feedSyncedAt() > stoppedAt, WAIT_OPTIONS);
    return async (secondsAfter: number) => (await refresh(after(secondsAfter, endedAt))).outcome;
  }

  it('the grace period counts from the end of the outage', async () => {
    const presentAgain = await refreshBeforeOutage(await open(), 0);
    // Longer than the grace period after the refresh, but not after the outage.
    expect(await presentAgain(GRACE_SECONDS - 0.001)).toBe('REPEATED');
    expect(await presentAgain(10 * GRACE_SECONDS)).toBe('REUSED');
  });

  it('the grace period is not extended for a response before the outage', async () => {
    const presentAgain = await refreshBeforeOutage(await open(), 2 * GRACE_SECONDS);
    expect(await presentAgain(0)).toBe('REUSED');
  });
});
