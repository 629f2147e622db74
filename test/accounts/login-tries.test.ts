// How often a password may be guessed, by the count itself and through signing in.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccountDeps } from '../../src/accounts/accounts.ts';
import { logIn } from '../../src/accounts/log-in.ts';
import { createLoginTries } from '../../src/accounts/login-tries.ts';
import type { UserCredentials } from '../../src/stores/store.ts';

const MAX_FAILURES = 100;
const ADA = 'ada@example.com';
const NOBODY = 'nobody@example.com';

const limited = (
  retryAfterSeconds: unknown = expect.toSatisfy((n) => Number.isInteger(n) && n > 0 && n <= 3_600),
) => expect.objectContaining({ name: 'AuthError', reason: 'RATE_LIMITED', details: { retryAfterSeconds } });
const refused = expect.objectContaining({ name: 'AuthError', reason: 'INVALID_CREDENTIALS' });

async function fail(tries: ReturnType<typeof createLoginTries>, key: string, times = MAX_FAILURES) {
  for (let i = 0; i < times; i += 1) await tries.count(key);
}

afterEach(() => void vi.useRealTimers());

describe('counting failed tries', () => {
  it('refuses the 101st in a row, and says when to come back', async () => {
    const tries = createLoginTries();
    await fail(tries, ADA);
    await expect(tries.count(ADA)).rejects.toEqual(limited());
    await expect(tries.count(ADA)).rejects.toEqual(limited());
  });

  it('forgets the failures at a success', async () => {
    const tries = createLoginTries();
    for (let round = 0; round < 3; round += 1) {
      await fail(tries, ADA);
      await tries.succeed(ADA);
    }
    await fail(tries, ADA);
    await expect(tries.count(ADA)).rejects.toEqual(limited());
  });

  it('counts each account by itself', async () => {
    const tries = createLoginTries();
    await fail(tries, ADA);
    await tries.count(NOBODY);
    await tries.succeed(NOBODY);
    await expect(tries.count(ADA)).rejects.toEqual(limited());
  });

  it('refuses all but a hundred of those at once', async () => {
    const tries = createLoginTries();
    const counted = await Promise.allSettled(Array.from({ length: 150 }, () => tries.count(ADA)));
    expect(counted.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_FAILURES);
  });

  it('lets an account try again after an hour', async () => {
    vi.useFakeTimers();
    const tries = createLoginTries();
    await fail(tries, ADA);
    await expect(tries.count(ADA)).rejects.toEqual(limited(3_600));
    await vi.advanceTimersByTimeAsync(3_599_000);
    await expect(tries.count(ADA)).rejects.toEqual(limited(1));
    await vi.advanceTimersByTimeAsync(1_000);
    await tries.count(ADA);
  });

  it('gives an account an hour’s rest however slowly it failed', async () => {
    vi.useFakeTimers();
    const tries = createLoginTries();
    await tries.count(ADA);
    await vi.advanceTimersByTimeAsync(3_000_000);
    await fail(tries, ADA, MAX_FAILURES - 1);
    await expect(tries.count(ADA)).rejects.toEqual(limited(3_600));
  });
});

describe('signing in', () => {
  /** What `logIn` needs to refuse: one account, a hasher that counts, no session. */
  function createDeps({ disabledAt }: { disabledAt?: Date } = {}) {
    const user = { id: 'ada', email: ADA, roles: [], createdAt: new Date(0), disabledAt };
    const found: UserCredentials = { user, passwordHash: 'hash of: right' };
    const verified: (string | undefined)[] = [];
    const started = vi.fn(async () => false);
    const deps = {
      store: {
        findUserByEmail: async (key: string) => (key === ADA ? found : undefined),
        createSession: started,
      },
      passwords: {
        verify: async (password: string, phc: string | undefined) => {
          verified.push(phc);
          return phc === `hash of: ${password}`;
        },
        needsRehash: () => false,
      },
      loginTries: createLoginTries(),
      config: { sessionTtlSeconds: 60 },
      now: () => new Date(0),
    } as unknown as AccountDeps; // as much as logIn uses before it issues tokens
    const tryOnce = (email: string, password: string) =>
      logIn(deps, { email, password }, { userAgent: undefined, ipAddress: undefined });
    return { tryOnce, verified, started };
  }

  it.each([
    ['with an account', ADA],
    ['without one', NOBODY],
  ])('answers the same for an email %s, and hashes once each time, 100 times', async (_, email) => {
    const { tryOnce, verified } = createDeps();
    for (let i = 0; i < MAX_FAILURES; i += 1) {
      await expect(tryOnce(email, 'wrong')).rejects.toEqual(refused);
      expect(verified).toHaveLength(i + 1);
    }
    await expect(tryOnce(email, 'wrong')).rejects.toEqual(limited());
    await expect(tryOnce(` ${email.toUpperCase()} `, 'right')).rejects.toEqual(limited());
    expect(verified).toHaveLength(MAX_FAILURES);
  });

  it('takes the failures back when it succeeds', async () => {
    const { tryOnce, started } = createDeps();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < MAX_FAILURES - 1; i += 1)
        await expect(tryOnce(ADA, 'wrong')).rejects.toEqual(refused);
      // The password is right; it is the session that the store refuses here.
      await expect(tryOnce(ADA, 'right')).rejects.toEqual(refused);
      expect(started).toHaveBeenCalledTimes(round + 1);
    }
  });

  it('counts the right password of a disabled account as a failure like any other', async () => {
    const { tryOnce, verified, started } = createDeps({ disabledAt: new Date(0) });
    for (let i = 0; i < MAX_FAILURES; i += 1) await expect(tryOnce(ADA, 'right')).rejects.toEqual(refused);
    await expect(tryOnce(ADA, 'right')).rejects.toEqual(limited());
    expect(verified).toHaveLength(MAX_FAILURES);
    expect(started).not.toHaveBeenCalled();
  });
});
