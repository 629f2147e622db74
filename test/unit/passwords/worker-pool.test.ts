// The hashing pool: threads that cannot start, and a closed pool.
import { describe, expect, it } from 'vitest';
import { createHashingPool } from '../../../src/passwords/worker-pool.ts';

describe('createHashingPool', () => {
  it('rejects every pending call if a thread cannot start, each time', async () => {
    const pool = createHashingPool(1, new URL('./no-such-file.ts', import.meta.url));
    for (let i = 0; i < 2; i += 1) {
      const pending = [pool.hash('one'), pool.hash('two'), pool.verify('one', 'phc')];
      for (const outcome of await Promise.allSettled(pending)) expect(outcome.status).toBe('rejected');
    }
    await pool.close();
  });

  it('rejects a call after the pool is closed', async () => {
    const pool = createHashingPool(1);
    expect(await pool.hash('one')).toMatch(/^\$argon2id\$/);
    await pool.close();
    await expect(pool.hash('one')).rejects.toThrow('The hashing pool is closed');
  });
});
