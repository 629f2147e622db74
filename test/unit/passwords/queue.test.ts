// The bounded queue: how many run, how many wait, in which order, for how long, and which are rejected.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type BoundedQueueOptions,
  createBoundedQueue,
  QueueFullError,
} from '../../../src/passwords/queue.ts';

const MAX_WAIT_MS = 1_000;

/** A queue whose tasks end when told to. */
function openQueue(options: Partial<BoundedQueueOptions> = {}) {
  const run = createBoundedQueue({ maxRunning: 1, maxWaiting: 100, maxWaitMs: MAX_WAIT_MS, ...options });
  const started: string[] = [];
  const finish: Record<string, (error?: Error) => void> = {};
  let most = 0;
  let running = 0;
  const add = (name: string, network = 'a network') => {
    const result = run(async () => {
      started.push(name);
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve, reject) => {
        finish[name] = (error) => (error ? reject(error) : resolve());
      }).finally(() => {
        running -= 1;
      });
      return `${name} is done`;
    }, network);
    result.catch(() => {}); // each test looks at the results that it cares about
    return result;
  };
  return { run, add, started, end: (name: string, error?: Error) => finish[name]?.(error), most: () => most };
}

/** Lets everything run that waits for nothing but its turn. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a bounded queue', () => {
  it('gives back what the task gives', async () => {
    const queue = openQueue();
    const result = queue.add('a');
    await settle();
    queue.end('a');
    expect(await result).toBe('a is done');
  });

  it.each([1, 2, 5])('runs never more than %i at once, the first come first', async (maxRunning) => {
    const queue = openQueue({ maxRunning });
    const names = Array.from({ length: 12 }, (_, index) => `task ${index}`);
    const results = names.map((name) => queue.add(name));
    for (const [index, name] of names.entries()) {
      await settle();
      expect(queue.started).toEqual(names.slice(0, Math.min(index + maxRunning, names.length)));
      queue.end(name);
    }
    await Promise.all(results);
    expect(queue.most()).toBe(maxRunning);
  });

  it('refuses at once when the line is full, and takes tasks again when it is not', async () => {
    const queue = openQueue({ maxWaiting: 1 });
    queue.add('runs');
    const waits = queue.add('waits');
    await expect(queue.add('refused')).rejects.toThrow(QueueFullError);
    queue.end('runs');
    await settle();
    queue.add('next');
    queue.end('waits');
    expect(await waits).toBe('waits is done');
    await settle();
    expect(queue.started).toEqual(['runs', 'waits', 'next']);
  });

  it('refuses whatever finds no free place where nobody may wait', async () => {
    const queue = openQueue({ maxWaiting: 0 });
    queue.add('runs');
    await expect(queue.add('refused')).rejects.toThrow(QueueFullError);
  });

  it('refuses a task at its deadline, and never runs it', async () => {
    const queue = openQueue();
    queue.add('runs');
    const late = queue.add('late');
    const refused = vi.fn();
    late.catch(refused);
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    expect(refused).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(refused).toHaveBeenCalledWith(expect.any(QueueFullError));
    const next = queue.add('next');
    queue.end('runs');
    await settle();
    queue.end('next');
    expect(await next).toBe('next is done');
    expect(queue.started).toEqual(['runs', 'next']);
  });

  it('limits the wait alone: a task that runs may take its time', async () => {
    const queue = openQueue();
    queue.add('first');
    const second = queue.add('second');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS - 1);
    queue.end('first');
    await vi.advanceTimersByTimeAsync(10 * MAX_WAIT_MS);
    queue.end('second');
    expect(await second).toBe('second is done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('frees the place of a task that fails', async () => {
    const queue = openQueue();
    const fails = queue.add('fails');
    const next = queue.add('next');
    await settle();
    queue.end('fails', new Error('on purpose'));
    await expect(fails).rejects.toThrow('on purpose');
    await settle();
    queue.end('next');
    expect(await next).toBe('next is done');
  });

  it('frees the place of a task that throws before it gives a promise', async () => {
    const { run } = openQueue({ maxWaiting: 0 });
    const broken = () => {
      throw new Error('on purpose');
    };
    await expect(run(broken, '')).rejects.toThrow('on purpose');
    expect(await run(async () => 'free again', '')).toBe('free again');
  });
});

describe('a bounded queue with several networks', () => {
  /** Adds tasks named after their network, `a1 a2 b1`; gives what becomes of each. */
  function addAll(queue: ReturnType<typeof openQueue>, names: string) {
    return names.split(' ').map((name) => queue.add(name, name[0] ?? ''));
  }

  /** Ends the running task, one after the other. @returns the order in which they ran */
  async function runAll(queue: ReturnType<typeof openQueue>): Promise<string> {
    await settle();
    for (let i = 0; i < queue.started.length; i += 1) {
      queue.end(queue.started[i] ?? '');
      await settle();
    }
    return queue.started.join(' ');
  }

  /** The names of the tasks that were rejected so far. */
  async function rejectedOf(names: string, results: readonly Promise<string>[]): Promise<string> {
    const rejected: string[] = [];
    for (const [i, result] of results.entries()) {
      result.catch(() => rejected.push(names.split(' ')[i] ?? ''));
    }
    await settle();
    return rejected.join(' ');
  }

  it.each([
    ['in the order of arrival within one', 'a1 a2 a3 a4', 'a1 a2 a3 a4'],
    ['one that arrives late after one task of the other', 'a1 a2 a3 a4 b1', 'a1 a2 b1 a3 a4'],
    ['in turn', 'a1 a2 a3 a4 b1 b2 c1', 'a1 a2 b1 c1 a3 b2 a4'],
    ['each of many once before any again', 'a1 a2 a3 b1 b2 c1 c2 d1', 'a1 a2 b1 c1 d1 a3 b2 c2'],
  ])('serves them %s', async (_, names, order) => {
    const queue = openQueue();
    addAll(queue, names);
    expect(await runAll(queue)).toBe(order);
  });

  it('serves a network that comes back after the others', async () => {
    const queue = openQueue();
    addAll(queue, 'a1 b1 a2 c1');
    for (const name of ['a1', 'b1']) {
      queue.end(name);
      await settle();
    }
    queue.add('b2', 'b');
    expect(await runAll(queue)).toBe('a1 b1 a2 c1 b2');
  });

  it.each([
    ['the newest of the network with the most', 'a1 a2 a3 a4 b1 c1', 'a4', 'a1 a2 b1 c1 a3'],
    ['the one that arrives if its network has the most', 'a1 a2 a3 a4 b1 a5', 'a5', 'a1 a2 b1 a3 a4'],
    ['the one that arrives if its network would have the most', 'a1 a2 a3 b1 b2 b3', 'b3', 'a1 a2 b1 a3 b2'],
    ['the one that arrives among equals', 'x1 a1 b1 c1 d1 e1', 'e1', 'x1 a1 b1 c1 d1'],
    ['the newest each time', 'x1 a1 a2 a3 a4 b1 c1 d1 e1', 'a4 a3 a2 e1', 'x1 a1 b1 c1 d1'],
  ])('rejects %s if too many wait', async (_, names, rejected, order) => {
    const queue = openQueue({ maxWaiting: 4 });
    const results = addAll(queue, names);
    const found = await rejectedOf(names, results);
    expect(found.split(' ').toSorted()).toEqual(rejected.split(' ').toSorted());
    expect(await runAll(queue)).toBe(order);
    for (const name of rejected.split(' ')) expect(queue.started).not.toContain(name);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets every network in that sends one at a time, however many another sends', async () => {
    const queue = openQueue({ maxWaiting: 128 });
    for (let i = 0; i < 10_000; i += 1) queue.add(`attacker ${i}`, 'attacker');
    const others = Array.from({ length: 100 }, (_, i) => queue.add(`owner ${i}`, `home ${i}`));
    // After the running one and one that was its network's turn, all owners are served.
    for (let i = 0; i < 102; i += 1) {
      await settle();
      queue.end(queue.started.at(-1) ?? '');
    }
    const outcomes = await Promise.allSettled(others);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(queue.started.slice(0, 102).filter((name) => name.startsWith('attacker'))).toHaveLength(2);
  });

  it('removes a network with its last task, whether that ran, was rejected or was late', async () => {
    const queue = openQueue({ maxWaiting: 2 });
    addAll(queue, 'x1 a1 a2 b1');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS);
    queue.end('x1');
    await settle();
    addAll(queue, 'c1 a3 b2');
    expect(await runAll(queue)).toBe('x1 c1 a3 b2');
  });
});
