// What becomes of the verbs while PostgreSQL is stopped: they are refused, and work again by themselves.
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { after, follow, IDLE_SECONDS, NOW, newSession } from './contract/fixture.ts';
import { CALLS, everyVerb, fill, reasonOf, reasonsOf, rotation, session, user } from './every-method.ts';
import { LIMIT, usePostgres } from './use-postgres.ts';

const server = usePostgres();
const { open, whileStopped } = server;

describe('while PostgreSQL is stopped', () => {
  it('every verb is refused as STORE_UNAVAILABLE, and works again by itself afterwards', async () => {
    const [store, follower] = [await open(), await open()];
    expect(Object.keys(CALLS).toSorted()).toEqual(
      Object.keys(store)
        .filter((name) => name !== 'feedSyncedAt' && name !== 'close')
        .toSorted(),
    );
    await fill(store);
    const { heard } = await follow(follower, NOW);
    await whileStopped(async () => {
      for (const one of [store, follower]) {
        expect(await reasonsOf(one)).toEqual(everyVerb('STORE_UNAVAILABLE'));
      }
    });
    for (const one of [store, follower]) expect(await reasonsOf(one)).toEqual(everyVerb(undefined));
    await heard(() => true);
  });

  it('no store can be opened, which can be tried again', async () => {
    await whileStopped(async () => expect(await reasonOf(openStore(server.url))).toBe('STORE_UNAVAILABLE'));
    const store = await open();
    await store.ping();
  });

  it('following can be tried again, and hears of everything then', async () => {
    const [store, other] = [await open(), await open()];
    await fill(other);
    await other.revokeSession({ sessionId: session.id }, NOW, IDLE_SECONDS);
    const early: string[] = [];
    const tryEarly = () =>
      store.subscribe(
        ({ kind }) => void early.push(kind),
        () => NOW,
      );
    await whileStopped(async () => {
      for (const following of [tryEarly(), tryEarly()]) {
        expect(await reasonOf(following)).toBe('STORE_UNAVAILABLE');
      }
    });
    const { changes, heard } = await follow(store, NOW);
    expect(changes).toHaveLength(1);
    await other.changeRoles(user.emailKey, { add: ['author'] }, NOW);
    await heard(({ kind }) => kind === 'ROLES_CHANGED');
    // Who was refused does not follow.
    expect(early).toEqual([]);
  });

  it('a store can be closed', async () => {
    const [idle, following] = [await open(), await open()];
    await CALLS.subscribe(following);
    await whileStopped(async () => void (await Promise.all([idle.close(), following.close()])));
  });
});

describe('at the moment at which PostgreSQL', () => {
  it.each([
    ['is stopped', () => whileStopped(async () => {})],
    [
      'ends every connection',
      async () => {
        const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
        await server.query(`select pg_terminate_backend(pid) ${others}`);
      },
    ],
  ])('%s, the verbs under way are refused as STORE_UNAVAILABLE at most', async (_, strike) => {
    const store = await open({ poolSize: 5 });
    await fill(store);
    await CALLS.subscribe(store);
    const { subscribe: _once, ...calls } = CALLS;
    const verbs = Object.values(calls);
    const reasons = new Set<unknown>();
    let isOver = false;
    const working = Array.from({ length: 10 }, async (_, first) => {
      for (let i = first; !isOver; i += 1) reasons.add(await reasonOf(verbs[i % verbs.length]?.(store)));
    });
    for (let round = 0; round < 5; round += 1) {
      await strike();
      await vi.waitUntil(async () => (await reasonOf(store.ping())) === undefined, LIMIT);
    }
    isOver = true;
    await Promise.all(working);
    expect(reasons.difference(new Set([undefined, 'STORE_UNAVAILABLE']))).toEqual(new Set());
    expect(await reasonsOf(store)).toEqual(everyVerb(undefined));
  });
});

describe('a refresh token whose answer may have been lost in an outage', () => {
  const GRACE_SECONDS = 60;

  /** Refreshes, has an outage, and gives what presents the same token again, so long after it. */
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
    const heardUntil = performance.now();
    await whileStopped(async () => {
      endedAt = new Date();
    });
    await vi.waitUntil(() => store.feedSyncedAt() > heardUntil, LIMIT);
    return async (secondsAfter: number) => (await refresh(after(secondsAfter, endedAt))).outcome;
  }

  it('is repeated for as long after it as at any other time after the refresh', async () => {
    const presentAgain = await refreshBeforeOutage(await open(), 0);
    // Longer than that after the refresh, but not after the outage.
    expect(await presentAgain(GRACE_SECONDS - 0.001)).toBe('REPEATED');
    expect(await presentAgain(10 * GRACE_SECONDS)).toBe('REUSED');
  });

  it('is not where it was answered long before', async () => {
    const presentAgain = await refreshBeforeOutage(await open(), 2 * GRACE_SECONDS);
    expect(await presentAgain(0)).toBe('REUSED');
  });
});
