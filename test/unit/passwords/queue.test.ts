// The bounded queue: limits, order, deadlines and rejections.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type BoundedQueueOptions,
  createBoundedQueue,
  QueueFullError,
} from '../../../src/passwords/queue.ts';

const MAX_WAIT_MS = 1_000;

/** Creates a queue whose tasks run until the test ends them by name. */
function createTestQueue(options: Partial<BoundedQueueOptions> = {}) {
  const run = createBoundedQueue({ maxRunning: 1, maxWaiting: 100, maxWaitMs: MAX_WAIT_MS, ...options });
  const started: string[] = [];
  const finish: Record<string, (error?: Error) => void> = {};
  let maxSeen = 0;
  let running = 0;
  const add = (name: string, network = 'a network') => {
    const result = run(async () => {
      started.push(name);
      running += 1;
      maxSeen = Math.max(maxSeen, running);
      await new Promise<void>((resolve, reject) => {
        finish[name] = (error) => (error ? reject(error) : resolve());
      }).finally(() => {
        running -= 1;
      });
      return `${name} is done`;
    }, network);
    result.catch(() => {}); // tests assert on the results that matter to them
    return result;
  };
  return {
    run,
    add,
    started,
    end: (name: string, error?: Error) => finish[name]?.(error),
    maxSeen: () => maxSeen,
  };
}

/** Runs every task that can run now. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a bounded queue', () => {
  it('resolves with the result of the task', async () => {
    const queue = createTestQueue();
    const result = queue.add('a');
    await settle();
    queue.end('a');
    expect(await result).toBe('a is done');
  });

  it.each([1, 2, 5])('runs at most %i at once, in the order of arrival', async (maxRunning) => {
    const queue = createTestQueue({ maxRunning });
    const names = Array.from({ length: 12 }, (_, index) => `task ${index}`);
    const results = names.map((name) => queue.add(name));
    for (const [index, name] of names.entries()) {
      await settle();
      expect(queue.started).toEqual(names.slice(0, Math.min(index + maxRunning, names.length)));
      queue.end(name);
    }
    await Promise.all(results);
    expect(queue.maxSeen()).toBe(maxRunning);
  });

  it('rejects at once while it is full, and accepts tasks afterwards', async () => {
    const queue = createTestQueue({ maxWaiting: 1 });
    queue.add('runs');
    const waits = queue.add('waits');
    await expect(queue.add('rejected')).rejects.toThrow(QueueFullError);
    queue.end('runs');
    await settle();
    queue.add('next');
    queue.end('waits');
    expect(await waits).toBe('waits is done');
    await settle();
    expect(queue.started).toEqual(['runs', 'waits', 'next']);
  });

  it('rejects every task that cannot run at once if none may wait', async () => {
    const queue = createTestQueue({ maxWaiting: 0 });
    queue.add('runs');
    await expect(queue.add('rejected')).rejects.toThrow(QueueFullError);
  });

  it('rejects a task at its deadline, and never runs it', async () => {
    const queue = createTestQueue();
    queue.add('runs');
    const late = queue.add('late');
    const onRejected = vi.fn();
    late.catch(onRejected);
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    expect(onRejected).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onRejected).toHaveBeenCalledWith(expect.any(QueueFullError));
    const next = queue.add('next');
    queue.end('runs');
    await settle();
    queue.end('next');
    expect(await next).toBe('next is done');
    expect(queue.started).toEqual(['runs', 'next']);
  });

  it('limits the time in the queue, not that of a running task', async () => {
    const queue = createTestQueue();
    queue.add('first');
    const second = queue.add('second');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    queue.end('first');
    await vi.advanceTimersByTimeAsync(10 * MAX_WAIT_MS);
    queue.end('second');
    expect(await second).toBe('second is done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('frees the slot of a task that fails', async () => {
    const queue = createTestQueue();
    const fails = queue.add('fails');
    const next = queue.add('next');
    await settle();
    queue.end('fails', new Error('on purpose'));
    await expect(fails).rejects.toThrow('on purpose');
    await settle();
    queue.end('next');
    expect(await next).toBe('next is done');
  });

  it('frees the slot of a task that throws before it returns a promise', async () => {
    const { run } = createTestQueue({ maxWaiting: 0 });
    const broken = () => {
      throw new Error('on purpose');
    };
    await expect(run(broken, '')).rejects.toThrow('on purpose');
    expect(await run(async () => 'free again', '')).toBe('free again');
  });
});

describe('a bounded queue with several networks', () => {
  /** Adds tasks, each named after its network: `a1 a2 b1`. @returns their results */
  function addAll(queue: ReturnType<typeof createTestQueue>, names: string) {
    return names.split(' ').map((name) => queue.add(name, name[0] ?? ''));
  }

  /** Ends one running task after another. @returns the order in which they ran */
  async function runAll(queue: ReturnType<typeof createTestQueue>): Promise<string> {
    await settle();
    for (let i = 0; i < queue.started.length; i += 1) {
      queue.end(queue.started[i] ?? '');
      await settle();
    }
    return queue.started.join(' ');
  }

  /** @returns the names of the tasks that have been rejected */
  async function findRejected(names: string, results: readonly Promise<string>[]): Promise<string> {
    const rejected: string[] = [];
    for (const [i, result] of results.entries()) {
      result.catch(() => rejected.push(names.split(' ')[i] ?? ''));
    }
    await settle();
    return rejected.join(' ');
  }

  it.each([
    ['of one network in the order of arrival', 'a1 a2 a3 a4', 'a1 a2 a3 a4'],
    ['of a late network after one task of the other', 'a1 a2 a3 a4 b1', 'a1 a2 b1 a3 a4'],
    ['of several networks round-robin', 'a1 a2 a3 a4 b1 b2 c1', 'a1 a2 b1 c1 a3 b2 a4'],
    ['of every network once before any network again', 'a1 a2 a3 b1 b2 c1 c2 d1', 'a1 a2 b1 c1 d1 a3 b2 c2'],
  ])('serves tasks %s', async (_, names, order) => {
    const queue = createTestQueue();
    addAll(queue, names);
    expect(await runAll(queue)).toBe(order);
  });

  it('serves a returning network after the others', async () => {
    const queue = createTestQueue();
    addAll(queue, 'a1 b1 a2 c1');
    for (const name of ['a1', 'b1']) {
      queue.end(name);
      await settle();
    }
    queue.add('b2', 'b');
    expect(await runAll(queue)).toBe('a1 b1 a2 c1 b2');
  });

  it.each([
    ['the newest task of the network with the most tasks', 'a1 a2 a3 a4 b1 c1', 'a4', 'a1 a2 b1 c1 a3'],
    ['the arriving task if its network has the most', 'a1 a2 a3 a4 b1 a5', 'a5', 'a1 a2 b1 a3 a4'],
    ['the arriving task if its network would have the most', 'a1 a2 a3 b1 b2 b3', 'b3', 'a1 a2 b1 a3 b2'],
    ['the arriving task among networks with equally many', 'x1 a1 b1 c1 d1 e1', 'e1', 'x1 a1 b1 c1 d1'],
    ['the newest task each time', 'x1 a1 a2 a3 a4 b1 c1 d1 e1', 'a4 a3 a2 e1', 'x1 a1 b1 c1 d1'],
  ])('rejects %s if the queue is full', async (_, names, rejected, order) => {
    const queue = createTestQueue({ maxWaiting: 4 });
    const results = addAll(queue, names);
    const found = await findRejected(names, results);
    expect(found.split(' ').toSorted()).toEqual(rejected.split(' ').toSorted());
    expect(await runAll(queue)).toBe(order);
    for (const name of rejected.split(' ')) expect(queue.started).not.toContain(name);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('serves networks that send single tasks, however many another sends', async () => {
    const queue = createTestQueue({ maxWaiting: 128 });
    for (let i = 0; i < 10_000; i += 1) queue.add(`attacker ${i}`, 'attacker');
    const others = Array.from({ length: 100 }, (_, i) => queue.add(`owner ${i}`, `home ${i}`));
    // After the running task and one more of the attacker's network, all owners are served.
    for (let i = 0; i < 102; i += 1) {
      await settle();
      queue.end(queue.started.at(-1) ?? '');
    }
    const outcomes = await Promise.allSettled(others);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(queue.started.slice(0, 102).filter((name) => name.startsWith('attacker'))).toHaveLength(2);
  });

  it('removes a network with its last task, be it run, rejected or late', async () => {
    const queue = createTestQueue({ maxWaiting: 2 });
    addAll(queue, 'x1 a1 a2 b1');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS);
    queue.end('x1');
    await settle();
    addAll(queue, 'c1 a3 b2');
    expect(await runAll(queue)).toBe('x1 c1 a3 b2');
  });
});
