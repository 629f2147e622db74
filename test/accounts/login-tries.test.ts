// How often a password may be guessed, by the count itself and through signing in.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccountDeps } from '../../src/accounts/accounts.ts';
import { logIn } from '../../src/accounts/log-in.ts';
import { createLoginTries, type LoginTries } from '../../src/accounts/login-tries.ts';
import { AuthError } from '../../src/errors.ts';
import type { UserCredentials } from '../../src/stores/store.ts';

const MAX_FAILURES = 100;
const ADA = 'ada@example.com';
const NOBODY = 'nobody@example.com';
const HOME = '192.0.2.1';
const STRANGER = '198.51.100.9';

const limited = (
  retryAfterSeconds: unknown = expect.toSatisfy((n) => Number.isInteger(n) && n > 0 && n <= 3_600),
) => expect.objectContaining({ name: 'AuthError', reason: 'RATE_LIMITED', details: { retryAfterSeconds } });
const refused = expect.objectContaining({ name: 'AuthError', reason: 'INVALID_CREDENTIALS' });

const from = (emailKey: string, address?: string) => ({ emailKey, address });
/** The error of a try that is refused; undefined where it counts. */
function refusal(tries: LoginTries, emailKey: string, address?: string): unknown {
  try {
    tries.count(from(emailKey, address));
    return undefined;
  } catch (error) {
    return error;
  }
}

function fail(tries: LoginTries, emailKey: string, times = MAX_FAILURES, address?: string) {
  for (let i = 0; i < times; i += 1) tries.count(from(emailKey, address));
}

afterEach(() => void vi.useRealTimers());

describe('counting failed tries', () => {
  it('refuses the 101st in a row, and says when to come back', async () => {
    const tries = createLoginTries();
    fail(tries, ADA);
    expect(refusal(tries, ADA)).toEqual(limited());
    expect(refusal(tries, ADA)).toEqual(limited());
  });

  it('forgets the failures at a success', async () => {
    const tries = createLoginTries();
    for (let round = 0; round < 3; round += 1) {
      fail(tries, ADA, MAX_FAILURES - 1);
      tries.count(from(ADA)).succeed();
    }
    fail(tries, ADA);
    expect(refusal(tries, ADA)).toEqual(limited());
  });

  it('counts each account by itself', async () => {
    const tries = createLoginTries();
    fail(tries, ADA);
    tries.count(from(NOBODY)).succeed();
    expect(refusal(tries, ADA)).toEqual(limited());
  });

  it('refuses all but a hundred of those at once', async () => {
    const tries = createLoginTries();
    const counted = Array.from({ length: 150 }, () => refusal(tries, ADA));
    expect(counted.filter((error) => error === undefined)).toHaveLength(MAX_FAILURES);
  });

  it('lets an account try again after an hour', async () => {
    vi.useFakeTimers();
    const tries = createLoginTries();
    fail(tries, ADA);
    expect(refusal(tries, ADA)).toEqual(limited(3_600));
    await vi.advanceTimersByTimeAsync(3_599_000);
    expect(refusal(tries, ADA)).toEqual(limited(1));
    await vi.advanceTimersByTimeAsync(1_000);
    tries.count(from(ADA));
  });

  it('gives an account an hour’s rest however slowly it failed', async () => {
    vi.useFakeTimers();
    const tries = createLoginTries();
    tries.count(from(ADA));
    await vi.advanceTimersByTimeAsync(3_000_000);
    fail(tries, ADA, MAX_FAILURES - 1);
    expect(refusal(tries, ADA)).toEqual(limited(3_600));
  });

  it('leaves the owner in, at an address that has signed in, when strangers fail', () => {
    const tries = createLoginTries();
    tries.count(from(ADA, HOME)).succeed();
    fail(tries, ADA, MAX_FAILURES, STRANGER);
    expect(refusal(tries, ADA, STRANGER)).toEqual(limited());
    expect(refusal(tries, ADA, '203.0.113.7')).toEqual(limited());
    expect(refusal(tries, ADA, HOME)).toBeUndefined();
  });

  it('gives strangers no more guesses when the owner signs in', () => {
    const tries = createLoginTries();
    tries.count(from(ADA, HOME)).succeed();
    fail(tries, ADA, MAX_FAILURES, STRANGER);
    tries.count(from(ADA, HOME)).succeed();
    expect(refusal(tries, ADA, STRANGER)).toEqual(limited());
  });

  it('does not count a try whose password was not looked at', () => {
    const tries = createLoginTries();
    for (let i = 0; i < 3 * MAX_FAILURES; i += 1) tries.count(from(ADA)).withdraw();
    fail(tries, ADA, MAX_FAILURES - 1);
    tries.count(from(ADA)).withdraw();
    expect(refusal(tries, ADA)).toBeUndefined();
    expect(refusal(tries, ADA)).toEqual(limited());
  });

  it('counts at a known address too', () => {
    const tries = createLoginTries();
    tries.count(from(ADA, HOME)).succeed();
    fail(tries, ADA, MAX_FAILURES, HOME);
    expect(refusal(tries, ADA, HOME)).toEqual(limited());
    expect(refusal(tries, ADA, STRANGER)).toBeUndefined();
  });
});

describe('signing in', () => {
  /** What `logIn` needs to refuse: one account, a hasher that counts, no session. */
  function createDeps({ disabledAt }: { disabledAt?: Date } = {}) {
    const user = { id: 'ada', email: ADA, roles: [], createdAt: new Date(0), disabledAt };
    const found: UserCredentials = { user, passwordHash: 'hash of: right' };
    const verified: (string | undefined)[] = [];
    const started = vi.fn(async () => false);
    const findUserByEmail = vi.fn(async (key: string) => (key === ADA ? found : undefined));
    const deps = {
      store: { findUserByEmail, createSession: started },
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
    return { tryOnce, verified, started, findUserByEmail };
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

  it('does not count a try while the account cannot be looked up', async () => {
    const { tryOnce, verified, findUserByEmail } = createDeps();
    const away = new AuthError('STORE_UNAVAILABLE');
    findUserByEmail.mockRejectedValue(away);
    for (let i = 0; i <= MAX_FAILURES; i += 1) {
      await expect(tryOnce(ADA, 'right')).rejects.toBe(away);
    }
    findUserByEmail.mockResolvedValue(undefined);
    await expect(tryOnce(ADA, 'right')).rejects.toEqual(refused);
    expect(verified).toHaveLength(1);
  });

  it('does not count a password that no account can have', async () => {
    const { tryOnce, verified } = createDeps();
    for (let i = 0; i <= MAX_FAILURES; i += 1)
      await expect(tryOnce(ADA, 'x'.repeat(3_000))).rejects.toEqual(refused);
    expect(verified).toEqual([]);
    await expect(tryOnce(ADA, 'wrong')).rejects.toEqual(refused);
  });
});
