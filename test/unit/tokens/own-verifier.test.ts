// A server's own tokens while its keys are retired and revoked.
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { type Keyring, openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { revokeKey, rotateKeys } from '../../../src/tokens/keys/rotation.ts';
import type { SigningKey } from '../../../src/tokens/keys/signing-key.ts';
import { createOwnVerifier, type OwnVerifier } from '../../../src/tokens/own-verifier.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const START = new Date('2026-01-31T12:00:00Z');
const secrets = createSecrets(TEST_SECRET);
const OPTIONS = { issuer: 'i', audience: 'a', accessTtlSeconds: 600 };

let clock: { now: Date };
let store: Store;
let keyring: Keyring;
let verifier: OwnVerifier;
const now = () => clock.now;
beforeEach(async () => {
  clock = { now: START };
  store = await openStore('sqlite::memory:');
  keyring = await openKeyring(store, secrets, 'EdDSA', now);
  verifier = createOwnVerifier(keyring, { ...OPTIONS, now });
});
afterEach(() => store.close());

const advance = (seconds: number) => {
  clock.now = new Date(clock.now.getTime() + seconds * 1000);
};
/** Signs a token with a copy of the key and any `iat`. */
function forge({ kid, algorithm, privateKey }: SigningKey, issued = clock.now): Promise<string> {
  const iat = Math.floor(issued.getTime() / 1000);
  return new SignJWT({ sid: 'session', roles: [], scope: '', auth_time: iat, iat, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid })
    .setIssuer('i')
    .setAudience('a')
    .setSubject('ada')
    .setExpirationTime(iat + 100_000)
    .sign(privateKey);
}
const outcomeOf = async (token: string) =>
  (verifier.getCached(token) ?? (await verifier.verify(token))).problem ?? 'OK';

async function rotate(): Promise<void> {
  await rotateKeys({ store, secrets, now });
  await keyring.reload();
}
async function revoke(kid: string): Promise<void> {
  await revokeKey({ store, secrets: () => secrets, now }, kid);
  await keyring.reload();
}

describe('a retired key', () => {
  it.each([
    [0, 'OK'],
    [60, 'OK'],
    [61, 'TOKEN_INVALID'],
    [3_600, 'TOKEN_INVALID'],
  ])('verifies a token issued %i s later: %s', async (seconds, outcome) => {
    const key = keyring.current;
    await rotate();
    advance(seconds);
    expect(await outcomeOf(await forge(key))).toBe(outcome);
    expect(await outcomeOf(await forge(keyring.current))).toBe('OK');
  });

  it('verifies earlier tokens until they expire', async () => {
    const token = await forge(keyring.current);
    await rotate();
    advance(599);
    expect(await outcomeOf(token)).toBe('OK');
    advance(1);
    expect(await outcomeOf(token)).toBe('TOKEN_EXPIRED');
  });

  it.each([
    [60, 'OK'],
    [61, 'TOKEN_INVALID'],
    [30 * 24 * 3_600, 'TOKEN_INVALID'],
  ])('makes no difference to a token issued %i s ahead of the clock: %s', async (seconds, outcome) => {
    const issued = new Date(clock.now.getTime() + seconds * 1000);
    expect(await outcomeOf(await forge(keyring.current, issued))).toBe(outcome);
  });
});

describe('a revoked key', () => {
  it('invalidates its cached tokens', async () => {
    const key = keyring.current;
    const token = await forge(key);
    expect(await outcomeOf(token)).toBe('OK');
    expect(verifier.cachedTokens).toBe(1);
    await revoke(key.kid);
    expect(verifier.getCached(token)).toBeUndefined();
    expect(await outcomeOf(token)).toBe('TOKEN_INVALID');
    expect(await outcomeOf(await forge(keyring.current))).toBe('OK');
  });

  it('invalidates a token whose verification is in flight', async () => {
    const key = keyring.current;
    const token = await forge(key);
    const found = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = createOwnVerifier(
      {
        ...keyring,
        async findKey(header, jws) {
          const publicKey = await keyring.findKey(header, jws);
          found.resolve();
          await goOn.promise;
          return publicKey;
        },
      },
      { ...OPTIONS, now },
    );
    const verifying = slow.verify(token);
    await found.promise;
    await revoke(key.kid);
    goOn.resolve();
    expect(await verifying).toEqual({ principal: undefined, problem: 'TOKEN_INVALID' });
    expect(slow.getCached(token)).toBeUndefined();
  });

  it('ends each watch of its tokens once, and no other watch', async () => {
    const [stolen, next] = [keyring.current, await forge(keyring.current)];
    const principalOf = async (token: string) => {
      const { principal } = await verifier.verify(token);
      if (principal === undefined) throw new Error('The token was rejected');
      return principal;
    };
    const forged = await principalOf(next);
    const ends: string[] = [];
    verifier.watchKey(forged, (problem) => ends.push(problem));
    const stop = verifier.watchKey(forged, () => ends.push('after stop'));
    stop();
    await revoke(stolen.kid);
    expect(ends).toEqual(['TOKEN_INVALID']);

    verifier.watchKey(forged, (problem) => ends.push(`at once: ${problem}`));
    expect(ends).toEqual(['TOKEN_INVALID', 'at once: TOKEN_INVALID']);
    const honest = await principalOf(await forge(keyring.current));
    verifier.watchKey(honest, (problem) => ends.push(`honest: ${problem}`));
    const { kid } = (await store.listSigningKeys()).find(({ status }) => status === 'next') ?? { kid: '' };
    await revoke(kid);
    expect(ends).toHaveLength(2);
  });

  it('stops signing on an instance that cannot decrypt its replacement', async () => {
    const old = keyring.current;
    const token = await forge(old);
    await store.revokeAllSigningKeys(now());
    await openKeyring(
      store,
      createSecrets('the secret of a server that was started after the leak'),
      'EdDSA',
      now,
    );
    await expect(keyring.reload()).rejects.toMatchObject({ name: 'ConfigError' });
    expect(() => keyring.current).toThrow(expect.objectContaining({ reason: 'KEYS_UNAVAILABLE' }));
    expect(await outcomeOf(token)).not.toBe('OK');
    expect(keyring.jwks.keys.map(({ kid }) => kid)).not.toContain(old.kid);
  });
});

describe('revoking all keys', () => {
  it('makes the running instances create and share new keys', async () => {
    const other = await openKeyring(store, secrets, 'EdDSA', now);
    const token = await forge(keyring.current);
    await store.revokeAllSigningKeys(now());
    await Promise.all([keyring.reload(), other.reload()]);
    await Promise.all([keyring.reload(), other.reload()]);
    expect(await outcomeOf(token)).toBe('TOKEN_INVALID');
    expect(other.current.kid).toBe(keyring.current.kid);
    expect(await outcomeOf(await forge(other.current))).toBe('OK');
  });

  it('leads to new keys even if they are revoked one by one', async () => {
    const keys = await store.listSigningKeys();
    for (const { kid } of keys) await store.revokeSigningKey(kid, undefined, now());
    await keyring.reload();
    expect((await store.listSigningKeys()).map(({ status }) => status).toSorted()).toEqual([
      'current',
      'next',
    ]);
  });
});
