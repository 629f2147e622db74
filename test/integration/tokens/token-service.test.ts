// Tokens of a server while other instances change keys, sessions and roles.
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_CONFIG } from '../../../src/config/config.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { signAccessToken } from '../../../src/tokens/access-token.ts';
import { rotateKeys } from '../../../src/tokens/keys/rotation.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { createTokenService, type TokenService } from '../../../src/tokens/token-service.ts';
import { withFolder } from '../../support/server-process.ts';
import { TEST_SECRET } from '../../support/test-server.ts';
import { newSession, newUser } from '../storage/store-contract.ts';

const secrets = createSecrets(TEST_SECRET);
const now = () => new Date();

let here: Store;
let elsewhere: Store;
let finish: () => Promise<void>;
beforeEach(async () => {
  const [opened, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const finished = withFolder(async (folder) => {
    const url = `sqlite:${join(folder, 'bandha.db')}`;
    [here, elsewhere] = [await openStore(url), await openStore(url)];
    opened.resolve();
    await done.promise;
    await Promise.all([here.close(), elsewhere.close()]);
  });
  finish = () => {
    done.resolve();
    return finished;
  };
  await Promise.race([opened.promise, finished]);
});
afterEach(async () => {
  vi.useRealTimers();
  await finish();
});

const open = (store: Store, log = pino({ level: 'silent' })) =>
  createTokenService({ store, secrets, config: DEFAULT_CONFIG, log, now });
const rotate = () => rotateKeys({ store: elsewhere, secrets, now });

describe('a change by another instance', () => {
  it('replaces the signing keys', async () => {
    const { keyring, stop } = await open(here);
    const rotation = await rotate();
    await expect.poll(() => keyring.current.kid).toBe(rotation?.currentKid);
    expect(keyring.jwks.keys).toHaveLength(3);
    stop();
  });

  it('makes tokens of revoked sessions and changed roles invalid', async () => {
    const tokens = await open(here);
    const [ada, bob] = [newUser(), newUser()];
    const sessions = [newSession(ada.id), newSession(bob.id)];
    for (const user of [ada, bob]) await elsewhere.createUser(user);
    for (const session of sessions) await elsewhere.createSession(session);
    const [adas = '', bobs = ''] = await Promise.all(
      sessions.map(({ id: sessionId, userId }) => signFor(tokens, { userId, sessionId, roles: ada.roles })),
    );
    const problemOf = async (token: string) =>
      (await tokens.authenticate({ authorization: `Bearer ${token}` })).problem;
    expect([await problemOf(adas), await problemOf(bobs)]).toEqual([undefined, undefined]);
    await elsewhere.revokeAllSessions(ada.id, now(), 60);
    await elsewhere.changeRoles(bob.emailKey, { add: ['auditor'] }, now());
    await expect.poll(() => problemOf(adas)).toBe('TOKEN_REVOKED');
    await expect.poll(() => problemOf(bobs)).toBe('TOKEN_EXPIRED');
    tokens.stop();
  });
});

describe('a token issued right after a second change of roles', () => {
  it('verifies on an instance that has received only the first change', async () => {
    const tokens = await open(here);
    const ada = newUser({ roles: [] });
    const session = newSession(ada.id);
    await elsewhere.createUser(ada);
    await elsewhere.createSession({ ...session, createdAt: now(), lastUsedAt: now() });
    const sign = (...roles: string[]) => signFor(tokens, { userId: ada.id, sessionId: session.id, roles });
    const problemOf = async (token: string) =>
      (await tokens.authenticate({ authorization: `Bearer ${token}` })).problem;
    const change = (role: string) => elsewhere.changeRoles(ada.emailKey, { add: [role] }, now());

    const first = await sign();
    await change('a');
    await expect.poll(() => problemOf(first)).toBe('TOKEN_EXPIRED');
    const second = await sign('a');
    await change('b');
    const third = await sign('a', 'b');
    expect([await problemOf(third), await problemOf(first)]).toEqual([undefined, 'TOKEN_EXPIRED']);
    await expect.poll(() => problemOf(second)).toBe('TOKEN_EXPIRED');
    expect(await problemOf(third)).toBeUndefined();
    tokens.stop();
  });
});

function signFor(
  { keyring }: TokenService,
  subject: { userId: string; sessionId: string; roles: readonly string[] },
): Promise<string> {
  return signAccessToken({ ...subject, authenticatedAt: now() }, keyring, DEFAULT_CONFIG, now());
}

describe('changed keys that cannot be read', () => {
  const RETRY_DELAY_MS = 1_000;

  /** Opens a token service on a store that reads keys with `read`. @returns it with its error log */
  async function openWith(read: () => ReturnType<Store['listSigningKeys']>) {
    const failed = Promise.withResolvers<void>();
    const errors: string[] = [];
    const log = pino(
      { level: 'error' },
      {
        write(line: string) {
          errors.push(JSON.parse(line).msg);
          failed.resolve();
        },
      },
    );
    const listSigningKeys = vi.fn(here.listSigningKeys);
    const tokens = await open({ ...here, listSigningKeys }, log);
    await tokens.keyring.reload(); // waits for the reload that creating the keys has caused
    listSigningKeys.mockClear();
    listSigningKeys.mockImplementation(read);
    // Only the timers of the module matter from here on.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    return { tokens, listSigningKeys, failed: failed.promise, errors };
  }

  it('cause an error in the log and another query a second later', async () => {
    const { tokens, listSigningKeys, failed } = await openWith(() => Promise.reject(new Error('away')));
    const { kid } = tokens.keyring.current;
    const rotation = await rotate();
    await failed;
    expect(tokens.keyring.current.kid).toBe(kid);
    listSigningKeys.mockImplementation(here.listSigningKeys);
    vi.advanceTimersByTime(RETRY_DELAY_MS);
    await expect.poll(() => tokens.keyring.current.kid).toBe(rotation?.currentKid);
    expect(vi.getTimerCount()).toBe(0);
    tokens.stop();
  });

  it('cause no query after stop', async () => {
    const { tokens, listSigningKeys, failed, errors } = await openWith(() =>
      Promise.reject(new Error('away')),
    );
    await rotate();
    await failed;
    tokens.stop();
    vi.advanceTimersByTime(10 * RETRY_DELAY_MS);
    await here.ping(); // long enough for a query in flight
    expect(listSigningKeys).toHaveBeenCalledTimes(1);
    expect(errors).toHaveLength(1);
  });

  it('cause no query and no log line if a query fails after stop', async () => {
    const [begun, away] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
    const { tokens, listSigningKeys, errors } = await openWith(() => {
      begun.resolve();
      return away.promise;
    });
    await rotate();
    await begun.promise;
    tokens.stop();
    away.reject(new Error('The store was closed'));
    await here.ping(); // long enough for the failed query to take effect
    vi.advanceTimersByTime(10 * RETRY_DELAY_MS);
    await here.ping();
    expect(listSigningKeys).toHaveBeenCalledTimes(1);
    expect(errors).toEqual([]);
  });
});
