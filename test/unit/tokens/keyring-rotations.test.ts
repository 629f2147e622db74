// The keyring while another instance rotates keys: it reloads them, and queries the store for an unknown key.
import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { type Keyring, openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { rotateKeys } from '../../../src/tokens/keys/rotation.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { createVerifier } from '../../../src/tokens/verifier.ts';
import { signWith, subjectOf } from '../../support/sign-with-keyring.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

const now = () => new Date();
const secrets = createSecrets(TEST_SECRET);

let store: Store;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
});
afterEach(() => store.close());

const open = () => openKeyring(store, secrets, 'EdDSA', now);
const rotate = () => rotateKeys({ store, secrets, now });

const sign = (keyring: Keyring) => signWith(keyring, now());

describe('a rotation by another instance', () => {
  it('takes effect after a reload', async () => {
    const keyring = await open();
    const { kid: firstKid } = keyring.current;
    const rotation = await rotate();
    expect(keyring.current.kid).toBe(firstKid);
    await keyring.reload();
    expect(keyring.current.kid).toBe(rotation?.currentKid);
    expect(keyring.jwks.keys.map(({ kid }) => kid).toSorted()).toEqual(
      [firstKid, rotation?.currentKid, rotation?.nextKid].toSorted(),
    );
    expect(decodeProtectedHeader(await sign(keyring)).kid).toBe(rotation?.currentKid);
  });

  it('keeps the tokens of retired keys valid through several rotations', async () => {
    const keyring = await open();
    const tokens = [await sign(keyring)];
    for (let round = 0; round < 3; round += 1) {
      await rotate();
      await keyring.reload();
      tokens.push(await sign(keyring));
      for (const token of tokens) expect(await subjectOf(token, keyring)).toBe('ada');
    }
    expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(4);
  });

  it('needs no query to verify with the published next key', async () => {
    const keyring = await open();
    await rotate();
    const other = await open();
    const reads = vi.spyOn(store, 'listSigningKeys');
    expect(await subjectOf(await sign(other), keyring)).toBe('ada');
    expect(reads).not.toHaveBeenCalled();
  });

  it('causes one query for concurrent reloads', async () => {
    const keyring = await open();
    const rotation = await rotate();
    const reads = vi.spyOn(store, 'listSigningKeys');
    await Promise.all(Array.from({ length: 20 }, () => keyring.reload()));
    expect(keyring.current.kid).toBe(rotation?.currentKid);
    expect(reads).toHaveBeenCalledTimes(1);
  });

  it('causes a second query for a reload that starts during a query', async () => {
    const keyring = await open();
    const { listSigningKeys } = store;
    const [reading, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const reads = vi.spyOn(store, 'listSigningKeys').mockImplementationOnce(async () => {
      const rows = await listSigningKeys();
      reading.resolve();
      await go.promise;
      return rows;
    });
    const early = keyring.reload();
    await reading.promise;
    const rotation = await rotateKeys({ store: { ...store, listSigningKeys }, secrets, now });
    const late = keyring.reload();
    go.resolve();
    await Promise.all([early, late]);
    expect(keyring.current.kid).toBe(rotation?.currentKid);
    expect(reads).toHaveBeenCalledTimes(2);
  });
});

describe('a reload that fails', () => {
  it('rejects, and keeps the loaded keys in use until one succeeds', async () => {
    const keyring = await open();
    const { kid } = keyring.current;
    const token = await sign(keyring);
    const rotation = await rotate();
    vi.spyOn(store, 'listSigningKeys').mockRejectedValueOnce(new Error('The database is away'));
    await expect(keyring.reload()).rejects.toThrow('The database is away');
    expect(keyring.current.kid).toBe(kid);
    expect(await subjectOf(token, keyring)).toBe('ada');
    expect(await subjectOf(await sign(keyring), keyring)).toBe('ada');
    await keyring.reload();
    expect(keyring.current.kid).toBe(rotation?.currentKid);
  });

  it('keeps the loaded keys in use if new ones are encrypted under another secret', async () => {
    const keyring = await open();
    const token = await sign(keyring);
    const { kid } = keyring.current;
    const otherSecrets = createSecrets('another secret, also long enough');
    const rows = await store.listSigningKeys();
    const resealed = rows.map((row) => ({ ...row, sealedPrivateJwk: otherSecrets.seal('{}', row.kid) }));
    vi.spyOn(store, 'listSigningKeys').mockResolvedValueOnce(resealed);
    await expect(keyring.reload()).rejects.toBeInstanceOf(ConfigError);
    expect(keyring.current.kid).toBe(kid);
    expect(await subjectOf(token, keyring)).toBe('ada');
  });
});

describe('a token with an unknown key', () => {
  const HEADER = { alg: 'EdDSA', typ: 'at+jwt' };
  const NO_SIGNATURE = { payload: '', signature: '' };
  const findKey = (keyring: Keyring, kid: string) => keyring.findKey({ ...HEADER, kid }, NO_SIGNATURE);

  /** Rotates twice, so that loaded keyrings have neither the current key nor the next. @returns a keyring that has them */
  async function leaveBehind() {
    await rotate();
    await rotate();
    return open();
  }
  function watchReads() {
    const at: number[] = [];
    const { listSigningKeys } = store;
    vi.spyOn(store, 'listSigningKeys').mockImplementation(() => {
      at.push(performance.now());
      return listSigningKeys();
    });
    return at;
  }

  it('causes one query for many tokens', async () => {
    const keyring = await open();
    const other = await leaveBehind();
    const tokens = await Promise.all(Array.from({ length: 50 }, () => sign(other)));
    const reads = watchReads();
    const subjects = await Promise.all(tokens.map((token) => subjectOf(token, keyring)));
    expect(new Set(subjects)).toEqual(new Set(['ada']));
    expect(reads).toHaveLength(1);
    expect(keyring.current.kid).toBe(other.current.kid);
  });

  it('causes at most one query in 250 ms, whatever kids are made up', async () => {
    const keyring = await open();
    const token = await sign(keyring);
    const reads = watchReads();
    for (let round = 0; round < 4; round += 1) {
      const lookups = Array.from({ length: 100 }, (_, index) =>
        findKey(keyring, `made up ${round} ${index}`),
      );
      const results = await Promise.allSettled(lookups);
      for (const result of results) {
        expect(result).toMatchObject({ reason: { code: 'ERR_JWKS_NO_MATCHING_KEY' } });
      }
    }
    expect(reads).toHaveLength(4);
    const pauses = reads.slice(1).map((at, index) => at - (reads[index] ?? 0));
    for (const pause of pauses) expect(pause).toBeGreaterThan(245); // timers count whole milliseconds
    expect(await subjectOf(token, keyring)).toBe('ada');
  });

  it('causes no query if it has no kid, or a known one with another alg', async () => {
    const keyring = await open();
    const reads = watchReads();
    const { kid } = keyring.current;
    const headers = [HEADER, { ...HEADER, kid, alg: 'ES256' }, { ...HEADER, kid, alg: 'none' }];
    for (const header of headers) {
      const lookup = keyring.findKey(header, NO_SIGNATURE);
      await expect(lookup).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
    expect(reads).toEqual([]);
  });

  describe('during an outage', () => {
    const OPTIONS = { issuer: 'i', audience: 'a' };
    const verifierOf = (keyring: Keyring) => createVerifier({ ...OPTIONS, keys: keyring.findKey });

    it.each<[string, () => Promise<never>]>([
      ['failing', () => Promise.reject(new Error('The database is away'))],
      ['hanging', () => new Promise(() => {})],
    ])('gives KEYS_UNAVAILABLE with a %s store; known keys still verify', async (_, fail) => {
      const keyring = await open();
      const known = await sign(keyring);
      const other = await leaveBehind();
      const unknown = await sign(other);
      const reads = vi.spyOn(store, 'listSigningKeys').mockImplementation(fail);
      const verifier = verifierOf(keyring);
      const [first, second] = [verifier.verify(unknown), verifier.verify(await sign(other))];
      expect((await verifier.verify(known)).principal?.userId).toBe('ada');
      expect(await first).toEqual({ principal: undefined, problem: 'KEYS_UNAVAILABLE' });
      expect(await second).toEqual({ principal: undefined, problem: 'KEYS_UNAVAILABLE' });
      expect((await verifier.verify(await sign(keyring))).principal?.userId).toBe('ada');
      expect(reads).toHaveBeenCalledTimes(1);
    });

    it('verifies again once the outage is over', async () => {
      const keyring = await open();
      const token = await sign(await leaveBehind());
      vi.spyOn(store, 'listSigningKeys').mockRejectedValueOnce(new Error('The database is away'));
      const verifier = verifierOf(keyring);
      expect((await verifier.verify(token)).problem).toBe('KEYS_UNAVAILABLE');
      expect((await verifier.verify(token)).principal?.userId).toBe('ada');
    });
  });
});
