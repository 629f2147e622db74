// What a session is when it starts, and which tokens it gives.
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
const NOWHERE = { userAgent: undefined, ipAddress: undefined };
const secrets = createSecrets(TEST_SECRET);

let store: Store;
let deps: AccountDeps;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  const keyring = await openKeyring(store, secrets, 'EdDSA', () => NOW);
  const needed = { store, keyring, secrets, config: DEFAULT_CONFIG, now: () => NOW };
  deps = needed as unknown as AccountDeps; // starting a session neither hashes nor counts tries
});
afterEach(() => store.close());

async function addUser() {
  const user = newUser();
  await store.createUser(user);
  return { ...user, disabledAt: undefined };
}
const live = (userId: string) => store.listLiveSessions(userId, NOW, DEFAULT_CONFIG.sessionIdleSeconds);

describe('starting a session', () => {
  it('keeps one of generation 1, with its end and where it comes from', async () => {
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

  it('gives an access token that names the account and the session', async () => {
    const user = await addUser();
    const issued = await startSession(deps, user, NOWHERE);
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
  ])('keeps of a user agent of %i characters %i', async (given, kept) => {
    const user = await addUser();
    await startSession(deps, user, { ...NOWHERE, userAgent: 'u'.repeat(given) });
    expect((await live(user.id))[0]?.userAgent).toBe('u'.repeat(kept));
  });

  it('is refused with INVALID_CREDENTIALS for an account that was disabled meanwhile', async () => {
    const user = await addUser();
    await store.disableUser(user.emailKey, NOW, 100);
    const refused = { name: 'AuthError', reason: 'INVALID_CREDENTIALS' };
    await expect(startSession(deps, user, NOWHERE)).rejects.toMatchObject(refused);
    expect(await live(user.id)).toEqual([]);
  });
});
