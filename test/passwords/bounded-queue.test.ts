// The bounded line: how many run, how many wait, in which order, and for how long.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type BoundedQueueOptions,
  createBoundedQueue,
  QueueFullError,
} from '../../src/passwords/bounded-queue.ts';

const MAX_WAIT_MS = 1_000;

/** A queue whose tasks end when told to. */
function openQueue(options: Partial<BoundedQueueOptions> = {}) {
  const run = createBoundedQueue({ maxRunning: 1, maxWaiting: 100, maxWaitMs: MAX_WAIT_MS, ...options });
  const started: string[] = [];
  const finish: Record<string, (error?: Error) => void> = {};
  let most = 0;
  let running = 0;
  const add = (name: string) => {
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
    });
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
    const results = names.map(queue.add);
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
    await expect(run(broken)).rejects.toThrow('on purpose');
    expect(await run(async () => 'free again')).toBe('free again');
  });
});
