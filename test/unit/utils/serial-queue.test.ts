// The serial queue: order, results, and tasks that reject.
import { describe, expect, it } from 'vitest';
import { createSerialQueue } from '../../../src/utils/serial-queue.ts';

describe('createSerialQueue', () => {
  it('starts each task after the one before it has settled', async () => {
    const serialize = createSerialQueue();
    const events: string[] = [];
    const add = (name: string) =>
      serialize(async () => {
        events.push(`${name} starts`);
        await Promise.resolve();
        events.push(`${name} ends`);
        return name;
      });
    expect(await Promise.all([add('a'), add('b')])).toEqual(['a', 'b']);
    expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
  });

  it('runs the next task after one that rejects', async () => {
    const serialize = createSerialQueue();
    const failed = serialize(async () => {
      throw new Error('on purpose');
    });
    const next = serialize(async () => 'next');
    await expect(failed).rejects.toThrow('on purpose');
    expect(await next).toBe('next');
  });
});
