// Threads that do not do what they shall.
import { describe, expect, it } from 'vitest';
import { createHashingPool } from '../../../src/passwords/worker-pool.ts';

describe('hashing threads', () => {
  it('that cannot start say so to everybody who waits, each time, and to nobody else', async () => {
    const threads = createHashingPool(1, new URL('./no-such-file.ts', import.meta.url));
    for (let i = 0; i < 2; i += 1) {
      const waiting = [threads.hash('one'), threads.hash('two'), threads.verify('one', 'phc')];
      for (const outcome of await Promise.allSettled(waiting)) expect(outcome.status).toBe('rejected');
    }
    await threads.close();
  });

  it('that have ended start no more', async () => {
    const threads = createHashingPool(1);
    expect(await threads.hash('one')).toMatch(/^\$argon2id\$/);
    await threads.close();
    await expect(threads.hash('one')).rejects.toThrow('ended');
  });
});
