// An attacker sends more sign-ins than can be hashed, each with another email; callers at other addresses can still sign in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientInfo } from '../../../src/accounts/deps.ts';
import { type Bandha, createBandha } from '../../../src/bandha.ts';
import { AuthError } from '../../../src/errors.ts';
import { GOOD_PASSWORD, TEST_SECRET } from '../../support/test-server.ts';

/** More than the hashing queue holds. */
const FLOOD = 300;
const at = (ipAddress: string | undefined): ClientInfo => ({ userAgent: undefined, ipAddress });

let bandha: Bandha;
beforeAll(async () => {
  bandha = await createBandha({ secret: TEST_SECRET, databaseUrl: 'sqlite::memory:' });
});
afterAll(() => bandha.close());

const reasonOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'OK',
    (error) => (error instanceof AuthError ? error.reason : String(error)),
  );

/** @returns the outcome of each attempt */
function flood(client: ClientInfo): Promise<string[]> {
  const attempts = Array.from({ length: FLOOD }, () =>
    bandha.accounts.logIn({ email: `${crypto.randomUUID()}@example.com`, password: 'a guess' }, client),
  );
  return Promise.all(attempts.map(reasonOf));
}

describe('a flood of sign-ins from one address', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['loopback', '127.0.0.2', '127.0.0.3'],
    ['IPv4', '198.51.100.1', '203.0.113.1'],
    ['IPv6', '2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['unknown', undefined, '203.0.113.2'],
    ['private, forwarded by an untrusted proxy', '10.0.0.1', '203.0.113.3'],
  ])('leaves room for another address: %s', async (_, attacker, owner) => {
    const account = { email: `${crypto.randomUUID()}@example.com`, password: GOOD_PASSWORD };
    await bandha.accounts.register(account, at(owner));
    const flooding = flood({ ...at(attacker), isShared: attacker === '10.0.0.1' });
    const signIns = Array.from({ length: 2 }, () => bandha.accounts.logIn(account, at(owner)));
    const registration = bandha.accounts.register(
      { email: `${crypto.randomUUID()}@example.com`, password: GOOD_PASSWORD },
      at(owner),
    );
    expect(await Promise.all([...signIns, registration].map(reasonOf))).toEqual(['OK', 'OK', 'OK']);
    const outcomes = await flooding;
    expect(new Set(outcomes)).toEqual(new Set(['INVALID_CREDENTIALS', 'RATE_LIMITED']));
  });
});
