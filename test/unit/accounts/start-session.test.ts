// Sessions when they start, and the tokens that are issued.
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountDeps } from '../../../src/accounts/deps.ts';
import { startSession } from '../../../src/accounts/sessions.ts';
import { DEFAULT_CONFIG } from '../../../src/config/config.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { parseRefreshToken } from '../../../src/tokens/refresh-token.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { newUser } from '../../integration/storage/store-contract.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const NOW = new Date('2026-01-31T12:00:00.500Z');
const UNKNOWN_CLIENT = { userAgent: undefined, ipAddress: undefined };
const secrets = createSecrets(TEST_SECRET);

let store: Store;
let deps: AccountDeps;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  const keyring = await openKeyring(store, secrets, 'EdDSA', () => NOW);
  const partial = { store, keyring, secrets, config: DEFAULT_CONFIG, now: () => NOW };
  deps = partial as unknown as AccountDeps; // startSession uses no hasher and no rate limit
});
afterEach(() => store.close());

async function addUser() {
  const user = newUser();
  await store.createUser(user);
  return { ...user, disabledAt: undefined };
}
const live = (userId: string) => store.listLiveSessions(userId, NOW, DEFAULT_CONFIG.sessionIdleSeconds);

describe('startSession', () => {
  it('stores a session of generation 1 with its expiry and its client', async () => {
    const user = await addUser();
    const { refreshToken } = await startSession(deps, user, { userAgent: 'Browser', ipAddress: '192.0.2.1' });
    const expiresAt = new Date(NOW.getTime() + DEFAULT_CONFIG.sessionTtlSeconds * 1000);
    const [session, ...others] = await live(user.id);
    expect(others).toEqual([]);
    expect(session).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      userId: user.id,
      generation: 1,
      createdAt: NOW,
      authenticatedAt: NOW,
      lastUsedAt: NOW,
      expiresAt,
      revokedAt: undefined,
      userAgent: 'Browser',
      ipAddress: '192.0.2.1',
    });
    expect(parseRefreshToken(refreshToken, secrets)).toEqual({ sessionId: session?.id, generation: 1 });
  });

  it('issues an access token with the ids of the user and the session', async () => {
    const user = await addUser();
    const issued = await startSession(deps, user, UNKNOWN_CLIENT);
    const [session] = await live(user.id);
    const seconds = Math.floor(NOW.getTime() / 1000);
    expect(issued).toMatchObject({ expiresIn: 600, user: { id: user.id } });
    expect(decodeJwt(issued.accessToken)).toEqual({
      iss: 'http://localhost:4000',
      aud: 'bandha',
      sub: user.id,
      sid: session?.id,
      roles: ['editor', 'admin'],
      scope: '',
      iat: seconds,
      exp: seconds + 600,
      auth_time: seconds,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it.each([
    [511, 511],
    [512, 512],
    [513, 512],
    [100_000, 512],
  ])('cuts a user agent of %i characters to %i', async (length, expected) => {
    const user = await addUser();
    await startSession(deps, user, { ...UNKNOWN_CLIENT, userAgent: 'u'.repeat(length) });
    expect((await live(user.id))[0]?.userAgent).toBe('u'.repeat(expected));
  });

  it('throws INVALID_CREDENTIALS if the account was disabled after the password check', async () => {
    const user = await addUser();
    await store.disableUser(user.emailKey, NOW, 100);
    const rejection = { name: 'AuthError', reason: 'INVALID_CREDENTIALS' };
    await expect(startSession(deps, user, UNKNOWN_CLIENT)).rejects.toMatchObject(rejection);
    expect(await live(user.id)).toEqual([]);
  });
});
