// Concurrent use of a database with one connection: first come, first served, one wake-up each.
import { createHook } from 'node:async_hooks';
import type { DatabaseConnection, Driver } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import { queueForConnection } from '../../../src/storage/sqlite/single-connection.ts';
import { newUser } from '../../integration/storage/store-contract.ts';

const AT_ONCE = 10_000;

/** @returns how many asynchronous callbacks run during `task` */
async function countWakeUps(task: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    before() {
      count += 1;
    },
  }).enable();
  try {
    await task();
  } finally {
    hook.disable();
  }
  return count;
}

const CONNECTION = {} as DatabaseConnection; // nothing is executed on it
const IDLE: Driver = {
  init: async () => {},
  acquireConnection: async () => CONNECTION,
  releaseConnection: async () => {},
  beginTransaction: async () => {},
  commitTransaction: async () => {},
  rollbackTransaction: async () => {},
  destroy: async () => {},
};

describe('queueForConnection', () => {
  it('gives the connection to one request at a time, in their order', async () => {
    const driver = queueForConnection(IDLE);
    const order: number[] = [];
    let holders = 0;
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const connection = await driver.acquireConnection();
        holders += 1;
        expect(holders).toBe(1);
        order.push(index);
        await Promise.resolve();
        holders -= 1;
        await driver.releaseConnection(connection);
      }),
    );
    expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('serves the next request if acquiring the connection fails', async () => {
    const failures = [new Error('The file is gone')];
    const driver = queueForConnection({
      ...IDLE,
      async acquireConnection() {
        const failure = failures.pop();
        if (failure !== undefined) throw failure;
        return CONNECTION;
      },
    });
    const [first, second] = await Promise.allSettled([
      driver.acquireConnection(),
      driver.acquireConnection(),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'The file is gone' } });
    expect(second).toEqual({ status: 'fulfilled', value: CONNECTION });
  });
});

describe('queueForConnection under constant load', () => {
  it('keeps the order of many thousand requests', async () => {
    const driver = queueForConnection(IDLE);
    const served: number[] = [];
    let sent = 0;
    /** Sends the next request before it releases the connection, so that the queue is never empty. */
    const use = async (): Promise<void> => {
      const number = sent++;
      const connection = await driver.acquireConnection();
      served.push(number);
      const after = sent < AT_ONCE ? use() : undefined;
      await driver.releaseConnection(connection);
      await after;
    };
    await Promise.all([use(), use(), use()]);
    expect(served).toEqual(Array.from({ length: sent }, (_, index) => index));
    expect(sent).toBeGreaterThanOrEqual(AT_ONCE);
  });

  it('serves the next request if a release fails', async () => {
    const driver = queueForConnection({
      ...IDLE,
      releaseConnection: async () => {
        throw new Error('The file is gone');
      },
    });
    const connection = await driver.acquireConnection();
    const waiting = driver.acquireConnection();
    await expect(driver.releaseConnection(connection)).rejects.toThrow('The file is gone');
    await expect(waiting).resolves.toBe(CONNECTION);
  });
});

describe('the SQLite store', () => {
  it.each(['findUserById', 'hasUsers'] as const)(
    'wakes each of 10,000 concurrent reads a bounded number of times: %s',
    async (method) => {
      const store = await openStore('sqlite::memory:');
      const user = newUser();
      await store.createUser(user);
      const read = () => (method === 'hasUsers' ? store.hasUsers() : store.findUserById(user.id));
      const readMany = (count: number) => () => Promise.all(Array.from({ length: count }, read));
      await read();
      const few = (await countWakeUps(readMany(100))) / 100;
      const many = (await countWakeUps(readMany(AT_ONCE))) / AT_ONCE;
      await store.close();
      // Linear: a read among 10,000 needs as many wake-ups as one among 100.
      expect(few).toBeGreaterThan(1);
      expect(many).toBeLessThan(2 * few);
    },
  );
});
