// Sign-in and registration cost the same hashes, statements and limits for existing and unknown accounts.
import { describe, expect, it, vi } from 'vitest';
import type { AccountDeps, ClientInfo } from '../../../src/accounts/deps.ts';
import { logIn } from '../../../src/accounts/login.ts';
import { register } from '../../../src/accounts/registration.ts';
import { AuthError } from '../../../src/errors.ts';
import { createMemoryLimits } from '../../../src/rate-limits/memory-limits.ts';
import type { SignInCredentials } from '../../../src/storage/store.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { GOOD_PASSWORD, TEST_SECRET } from '../../support/test-server.ts';

const PAIR_BURST = 20;
const REGISTER_BURST = 30;
const ADA = 'ada@example.com';
const UNKNOWN = 'unknown@example.com';
const ADDRESS = '192.0.2.1';

const limited = expect.objectContaining({ name: 'AuthError', reason: 'RATE_LIMITED' });
const wrong = expect.objectContaining({ name: 'AuthError', reason: 'INVALID_CREDENTIALS' });
const at = (ipAddress: string | undefined): ClientInfo => ({ userAgent: undefined, ipAddress });

/** Dependencies of `logIn` and `register` up to the session: one account, a hasher that counts calls, a store without sessions. */
function createDeps({
  disabledAt,
  isKnownNetwork = false,
}: {
  disabledAt?: Date;
  isKnownNetwork?: boolean;
} = {}) {
  const user = { id: 'ada', email: ADA, roles: [], createdAt: new Date(0), disabledAt };
  const found: SignInCredentials = { user, passwordHash: 'hash of: right', isKnownNetwork };
  const store = {
    findCredentials: vi.fn(async (key: string) => (key === ADA ? found : undefined)),
    findUserByEmail: vi.fn(async (key: string) => (key === ADA ? found : undefined)),
    createUser: vi.fn(async () => undefined),
    createSession: vi.fn(async () => false),
  };
  const verify = vi.fn(async (password: string, phc: string | undefined) => phc === `hash of: ${password}`);
  const hash = vi.fn(async () => 'a hash');
  const clock = { now: new Date('2026-11-26T12:00:00Z') };
  const now = () => clock.now;
  const limits = createMemoryLimits({ now });
  const deps = {
    store,
    passwords: { verify, hash, needsRehash: () => false },
    limits,
    secrets: createSecrets(TEST_SECRET),
    config: { sessionTtlSeconds: 60 },
    now,
  } as unknown as AccountDeps; // only what is used before tokens are issued
  return {
    deps,
    store,
    verify,
    hash,
    clock,
    limits,
    attempt: (email: string, password: string, ipAddress?: string) =>
      logIn(deps, { email, password }, at(ipAddress)),
  };
}

describe('logIn', () => {
  it.each([
    ['an existing', ADA],
    ['an unknown', UNKNOWN],
  ])('spends one read and one hash on each wrong password of %s account', async (_, email) => {
    const { attempt, verify, store } = createDeps();
    for (let i = 0; i < PAIR_BURST; i += 1) {
      await expect(attempt(email, 'wrong', ADDRESS)).rejects.toEqual(wrong);
      expect([store.findCredentials, verify].map((mock) => mock.mock.calls.length)).toEqual([i + 1, i + 1]);
    }
    await expect(attempt(email, 'wrong', ADDRESS)).rejects.toEqual(limited);
    await expect(attempt(` ${email.toUpperCase()} `, 'right', ADDRESS)).rejects.toEqual(limited);
    expect(verify).toHaveBeenCalledTimes(PAIR_BURST);
    expect(store.findUserByEmail).not.toHaveBeenCalled();
  });

  it('reads nothing from the store once the limit of the network is reached', async () => {
    const { attempt, store } = createDeps();
    for (let i = 0; i < 100; i += 1) {
      await expect(attempt(`${i}@example.com`, 'wrong', ADDRESS)).rejects.toEqual(wrong);
    }
    await expect(attempt(ADA, 'right', ADDRESS)).rejects.toEqual(limited);
    expect(store.findCredentials).toHaveBeenCalledTimes(100);
  });

  it('passes the network to the store under a pseudonym, if the address is known', async () => {
    const { attempt, store } = createDeps();
    await expect(attempt(ADA, 'wrong', '2001:db8::1')).rejects.toEqual(wrong);
    await expect(attempt(ADA, 'wrong', '2001:db8::2')).rejects.toEqual(wrong);
    await expect(attempt(ADA, 'wrong')).rejects.toEqual(wrong);
    const networks = store.findCredentials.mock.calls.map((call) => (call as unknown[])[1]);
    expect(networks).toEqual([expect.stringMatching(/^[\w-]{22}$/), networks[0], undefined]);
  });

  it('refunds the spent limits after a success', async () => {
    const { attempt, store, limits } = createDeps();
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < PAIR_BURST - 1; i += 1) {
        await expect(attempt(ADA, 'wrong')).rejects.toEqual(wrong);
      }
      // The password is correct; the store of this test rejects the session.
      await expect(attempt(ADA, 'right')).rejects.toEqual(wrong);
      expect(store.createSession).toHaveBeenCalledTimes(round + 1);
      expect(limits.size).toBe(0);
    }
  });

  it('counts the correct password of a disabled account as a failure', async () => {
    const { attempt, verify, store } = createDeps({ disabledAt: new Date(0) });
    for (let i = 0; i < PAIR_BURST; i += 1) await expect(attempt(ADA, 'right')).rejects.toEqual(wrong);
    await expect(attempt(ADA, 'right')).rejects.toEqual(limited);
    expect(verify).toHaveBeenCalledTimes(PAIR_BURST);
    expect(store.createSession).not.toHaveBeenCalled();
  });

  it.each(['STORE_UNAVAILABLE', 'RATE_LIMITED'] as const)(
    'spends no limit if sign-in fails with %s',
    async (reason) => {
      const { attempt, verify, store, limits } = createDeps();
      const error = new AuthError(reason);
      if (reason === 'STORE_UNAVAILABLE') store.findCredentials.mockRejectedValue(error);
      else verify.mockRejectedValue(error); // the hashing queue is full
      for (let i = 0; i < 2 * PAIR_BURST; i += 1) {
        await expect(attempt(ADA, 'right', ADDRESS)).rejects.toBe(error);
      }
      expect(limits.size).toBe(0);
    },
  );

  it('spends no limit for an email or a password that no account can have', async () => {
    const { attempt, verify, store, limits } = createDeps();
    for (let i = 0; i < 2 * PAIR_BURST; i += 1) {
      await expect(attempt(ADA, 'x'.repeat(3_000))).rejects.toEqual(wrong);
      await expect(attempt('not an email', 'wrong')).rejects.toEqual(wrong);
    }
    expect([verify, store.findCredentials].map((mock) => mock.mock.calls.length)).toEqual([0, 0]);
    expect(limits.size).toBe(0);
  });

  it('admits exactly the burst of 300 concurrent attempts', async () => {
    const { attempt, verify } = createDeps();
    const attempts = Array.from({ length: 300 }, () => attempt(ADA, 'wrong', ADDRESS));
    const outcomes = await Promise.allSettled(attempts);
    const reasons = outcomes.map((one) => (one.status === 'rejected' ? one.reason.reason : 'OK'));
    expect(reasons.filter((reason) => reason === 'INVALID_CREDENTIALS')).toHaveLength(PAIR_BURST);
    expect(reasons.filter((reason) => reason === 'RATE_LIMITED')).toHaveLength(300 - PAIR_BURST);
    expect(verify).toHaveBeenCalledTimes(PAIR_BURST);
  });
});

describe('register', () => {
  const taken = expect.objectContaining({ name: 'AuthError', reason: 'EMAIL_TAKEN' });

  it('rejects registrations over the network limit before it looks up the email', async () => {
    const { deps, store } = createDeps();
    const attempt = (email: string, ipAddress: string) =>
      register(deps, { email, password: GOOD_PASSWORD }, at(ipAddress));
    for (let i = 0; i < REGISTER_BURST; i += 1) {
      await expect(attempt(ADA, ADDRESS)).rejects.toEqual(taken);
    }
    await expect(attempt(ADA, ADDRESS)).rejects.toEqual(limited);
    await expect(attempt('new@example.com', ADDRESS)).rejects.toEqual(limited);
    expect(store.findUserByEmail).toHaveBeenCalledTimes(REGISTER_BURST);
    await expect(attempt(ADA, '192.0.2.2')).rejects.toEqual(taken);
  });

  it('spends the limit if the hashing queue is full, which reveals a free email', async () => {
    const { deps, store, hash } = createDeps();
    hash.mockRejectedValue(new AuthError('RATE_LIMITED', { retryAfterSeconds: 1 }));
    for (let i = 0; i < REGISTER_BURST + 5; i += 1) {
      const account = { email: `${i}@example.com`, password: GOOD_PASSWORD };
      await expect(register(deps, account, at(ADDRESS))).rejects.toEqual(limited);
    }
    expect(store.findUserByEmail).toHaveBeenCalledTimes(REGISTER_BURST);
  });

  it('spends no limit while the database cannot be reached', async () => {
    const { deps, store, limits } = createDeps();
    const outage = new AuthError('STORE_UNAVAILABLE');
    store.findUserByEmail.mockRejectedValue(outage);
    const attempt = () => register(deps, { email: ADA, password: GOOD_PASSWORD }, at(ADDRESS));
    for (let i = 0; i < 2 * REGISTER_BURST; i += 1) await expect(attempt()).rejects.toBe(outage);
    expect(limits.size).toBe(0);
  });
});
