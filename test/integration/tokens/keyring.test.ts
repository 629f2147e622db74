// The signing keys: created once, stored encrypted, published without their private parts.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { SigningKeyStatus, Store } from '../../../src/storage/store.ts';
import type { SigningAlgorithm } from '../../../src/tokens/algorithms.ts';
import { type Keyring, openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { generateSigningKey } from '../../../src/tokens/keys/signing-key.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { withFolder } from '../../support/server-process.ts';
import { signWith, subjectOf } from '../../support/sign-with-keyring.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const ALGORITHMS: SigningAlgorithm[] = ['EdDSA', 'ES256', 'RS256'];
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const now = () => new Date();
const secrets = createSecrets(TEST_SECRET);

let store: Store;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
});
afterEach(() => store.close());

const open = (algorithm: SigningAlgorithm = 'EdDSA', configured = secrets) =>
  openKeyring(store, configured, algorithm, now);
/** @returns the stored key with this status */
async function keyThatIs(status: SigningKeyStatus) {
  const key = (await store.listSigningKeys()).find((row) => row.status === status);
  if (key === undefined) throw new Error(`No key is ${status}`);
  return key;
}

const sign = (keyring: Keyring) => signWith(keyring, now());

describe('the keyring', () => {
  it('creates a current and a next key once, and loads them later', async () => {
    const first = await open();
    const second = await open();
    expect(second.current.kid).toBe(first.current.kid);
    const rows = await store.listSigningKeys();
    expect(rows.map(({ status, algorithm }) => [status, algorithm]).toSorted()).toEqual([
      ['current', 'EdDSA'],
      ['next', 'EdDSA'],
    ]);
    expect((await keyThatIs('current')).kid).toBe(first.current.kid);
    expect(await subjectOf(await sign(first), second)).toBe('ada');
  });

  it('adds a next key to a current one that was stored alone', async () => {
    const current = await generateSigningKey('EdDSA', 'current', secrets, now());
    await store.addSigningKeys([current], now()); // as stored by versions without next keys
    const keyring = await open();
    expect(keyring.current.kid).toBe(current.kid);
    const { kid: nextKid } = await keyThatIs('next');
    expect(keyring.jwks.keys.map(({ kid }) => kid).toSorted()).toEqual([current.kid, nextKid].toSorted());
  });

  it('loads the same keys in instances that start concurrently', async () => {
    const keyrings = await Promise.all(Array.from({ length: 5 }, () => open()));
    expect(new Set(keyrings.map(({ current }) => current.kid)).size).toBe(1);
    expect(await store.listSigningKeys()).toHaveLength(2);
    const token = await sign(await open());
    for (const keyring of keyrings) expect(await subjectOf(token, keyring)).toBe('ada');
  });

  it.each(ALGORITHMS)('signs and verifies with %s', async (algorithm) => {
    const keyring = await open(algorithm);
    const token = await sign(keyring);
    expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: 'at+jwt', kid: keyring.current.kid });
    expect(await subjectOf(token, keyring)).toBe('ada');
  });

  it('finds no key for an unknown kid, or for another algorithm', async () => {
    const { findKey, current } = await open();
    const token = { payload: '', signature: '' };
    for (const header of [{ alg: 'EdDSA', kid: 'x' }, { alg: 'EdDSA' }, { alg: 'ES256', kid: current.kid }]) {
      await expect(findKey(header, token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
  });
});

describe('a change of the algorithm', () => {
  it.each([
    ['EdDSA', 'ES256'],
    ['ES256', 'RS256'],
    ['RS256', 'EdDSA'],
  ] as const)('from %s to %s retires the current key and replaces the next', async (before, then) => {
    const old = await open(before);
    const token = await sign(old);
    const next = await open(then);
    expect(next.current).toMatchObject({ algorithm: then });
    const rows = await store.listSigningKeys();
    expect(rows.map(({ status, algorithm }) => [status, algorithm]).toSorted()).toEqual([
      ['current', then],
      ['next', then],
      ['retired', before],
    ]);
    expect((await keyThatIs('retired')).kid).toBe(old.current.kid);
    expect((await keyThatIs('current')).kid).toBe(next.current.kid);
    expect(await subjectOf(token, next)).toBe('ada');
    expect(await subjectOf(await sign(next), next)).toBe('ada');
    expect(next.jwks.keys).toHaveLength(3);
  });
});

describe('a private key', () => {
  it.each(ALGORITHMS)('appears neither in its row nor in the database file: %s', async (algorithm) => {
    await withFolder(async (folder) => {
      const fileStore = await openStore(`sqlite:${join(folder, 'bandha.db')}`);
      await openKeyring(fileStore, secrets, algorithm, now);
      const rows = await fileStore.listSigningKeys();
      await fileStore.close();
      const file = await readFile(join(folder, 'bandha.db'), 'latin1');
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        const decrypted: Record<string, string> = JSON.parse(
          secrets.open(row.sealedPrivateJwk, row.kid) ?? '{}',
        );
        expect(decrypted.d).toMatch(/^[\w-]{43,}$/);
        const parts = PRIVATE_PARTS.map((name) => decrypted[name]).filter((part) => typeof part === 'string');
        for (const part of parts) {
          expect(JSON.stringify(row)).not.toContain(part);
          expect(file).not.toContain(part);
        }
        expect(file).toContain(row.kid);
      }
    });
  });

  it.each(ALGORITHMS)('never appears in the JWK Set: %s', async (algorithm) => {
    const { jwks, current } = await open(algorithm);
    const { kid: nextKid } = await keyThatIs('next');
    expect(jwks.keys.map(({ kid }) => kid).toSorted()).toEqual([current.kid, nextKid].toSorted());
    for (const key of jwks.keys) {
      expect(key).toMatchObject({ alg: algorithm, use: 'sig' });
      expect(Object.keys(key).filter((name) => PRIVATE_PARTS.includes(name))).toEqual([]);
    }
  });

  it('plays no part in verification with the JWK Set', async () => {
    const keyring = await open();
    const key = keyring.jwks.keys.find(({ kid }) => kid === keyring.current.kid);
    const token = await sign(keyring);
    expect((await jwtVerify(token, await importJWK(key ?? { kty: '' }))).payload.sub).toBe('ada');
  });

  it('decrypts only under the secret that encrypted it', async () => {
    await open();
    const wrong = await open('EdDSA', createSecrets('another secret, also long enough')).catch(
      (error) => error,
    );
    expect(wrong).toBeInstanceOf(ConfigError);
    expect(wrong.issues).toEqual([expect.stringMatching(/^BANDHA_SECRET: /)]);
    expect(wrong.message).not.toContain('another secret');
    expect(await store.listSigningKeys()).toHaveLength(2);
  });

  it('decrypts only under its own kid', async () => {
    const { current } = await open();
    const [row] = await store.listSigningKeys();
    expect(secrets.open(row?.sealedPrivateJwk ?? '', `${current.kid}x`)).toBeUndefined();
  });
});
