// Rotation of the signing keys: the next key, which was published before, becomes the current one.
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { SigningKeyRow, Store } from '../../../src/storage/store.ts';
import { signAccessToken } from '../../../src/tokens/access-token.ts';
import { SIGNING_ALGORITHMS } from '../../../src/tokens/algorithms.ts';
import { type Keyring, openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { type RotateDeps, rotateKeys, rotateOldKeys } from '../../../src/tokens/keys/rotation.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { withFolder } from '../../support/server-process.ts';
import { TEST_SECRET } from '../../support/test-server.ts';

/** Time that a verifier may use a JWK Set that it has fetched. */
const JWKS_MAX_AGE_SECONDS = 300;
const START = new Date('2026-01-31T12:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);
const secrets = createSecrets(TEST_SECRET);
const otherSecrets = createSecrets('another secret, also long enough');

let clock: { now: Date };
let store: Store;
let deps: RotateDeps;
beforeEach(async () => {
  clock = { now: START };
  store = await openStore('sqlite::memory:');
  deps = { store, secrets, now: () => clock.now };
});
afterEach(() => store.close());

const open = (one = store) => openKeyring(one, secrets, 'EdDSA', () => clock.now);
/** Keys by status. Tests that use `retired` have at most one such key. */
async function keysByStatus(): Promise<Partial<Record<SigningKeyRow['status'], SigningKeyRow>>> {
  return Object.fromEntries((await store.listSigningKeys()).map((row) => [row.status, row]));
}

function sign(keyring: Keyring): Promise<string> {
  const subject = { userId: 'ada', sessionId: 'session', roles: [], authenticatedAt: clock.now };
  const options = { issuer: 'i', audience: 'a', accessTtlSeconds: 600 };
  return signAccessToken(subject, keyring, options, clock.now);
}
type Keys = Keyring['findKey'];
const subjectOf = async (token: string, keys: Keys) =>
  (await jwtVerify(token, keys, { currentDate: clock.now })).payload.sub;

describe('rotateKeys', () => {
  it('retires the current key, signs with the next, and publishes another', async () => {
    await open();
    const before = await keysByStatus();
    clock.now = after(1_000);
    const rotation = await rotateKeys(deps);
    const keys = await keysByStatus();
    expect(await store.listSigningKeys()).toHaveLength(3);
    expect(keys.current).toEqual({ ...before.next, status: 'current', currentSince: after(1_000) });
    expect(keys.retired).toEqual({ ...before.current, status: 'retired', retiredAt: after(1_000) });
    expect(keys.next).toMatchObject({
      algorithm: 'EdDSA',
      createdAt: after(1_000),
      currentSince: undefined,
      retiredAt: undefined,
    });
    expect(rotation).toEqual({
      currentKid: before.next?.kid,
      nextKid: keys.next?.kid,
      propagatedAt: after(JWKS_MAX_AGE_SECONDS),
    });
  });

  it('rotates several times in a row', async () => {
    await open();
    let expected = (await keysByStatus()).next?.kid;
    for (let round = 1; round <= 3; round += 1) {
      const rotation = await rotateKeys(deps);
      expect(rotation?.currentKid).toBe(expected);
      expected = rotation?.nextKid;
    }
    const statuses = (await store.listSigningKeys()).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(['current', 'next', 'retired', 'retired', 'retired']);
  });

  it.each(SIGNING_ALGORITHMS)('preserves the algorithm %s', async (algorithm) => {
    await openKeyring(store, secrets, algorithm, () => clock.now);
    await rotateKeys(deps);
    const algorithms = (await store.listSigningKeys()).map((key) => key.algorithm);
    expect(algorithms).toEqual([algorithm, algorithm, algorithm]);
  });

  it('leaves every token valid, on each instance and with the previous JWK Set', async () => {
    const [here, elsewhere] = [await open(), await open()];
    const published = createLocalJWKSet(here.jwks);
    const tokens = [await sign(here)];
    const verifies = async () => {
      for (const token of tokens) {
        for (const keys of [here.findKey, elsewhere.findKey]) {
          expect(await subjectOf(token, keys)).toBe('ada');
        }
      }
    };
    await rotateKeys(deps);
    tokens.push(await sign(elsewhere)); // this instance has not reloaded its keys yet
    await here.reload();
    tokens.push(await sign(here));
    await verifies();
    for (const token of tokens) expect(await subjectOf(token, published)).toBe('ada');
    await elsewhere.reload();
    tokens.push(await sign(elsewhere));
    await verifies();
  });

  it('returns the time from which every verifier has the key', async () => {
    await open();
    clock.now = after(10_000);
    expect((await rotateKeys(deps))?.propagatedAt).toEqual(after(JWKS_MAX_AGE_SECONDS));
    clock.now = after(10_010);
    expect((await rotateKeys(deps))?.propagatedAt).toEqual(after(10_000 + JWKS_MAX_AGE_SECONDS));
  });

  it('throws and changes nothing under another secret', async () => {
    await open();
    const before = await store.listSigningKeys();
    const failure = await rotateKeys({ ...deps, secrets: otherSecrets }).catch((error) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure.issues).toEqual([expect.stringMatching(/^BANDHA_SECRET: /)]);
    expect(await store.listSigningKeys()).toEqual(before);
  });

  it('changes nothing before the first keys exist', async () => {
    expect(await rotateKeys(deps)).toBeUndefined();
    expect(await store.listSigningKeys()).toEqual([]);
  });
});

describe('concurrent rotations', () => {
  /** A store whose readers of keys wait for each other, so that both see the same next key. */
  function meetAtKeys(one: Store, meeting: { missing: number; all: PromiseWithResolvers<void> }): Store {
    return {
      ...one,
      async listSigningKeys() {
        const rows = await one.listSigningKeys();
        meeting.missing -= 1;
        if (meeting.missing === 0) meeting.all.resolve();
        await meeting.all.promise;
        return rows;
      },
    };
  }

  it('rotate once, even from two instances', () =>
    withFolder(async (folder) => {
      const url = `sqlite:${join(folder, 'bandha.db')}`;
      const stores = [await openStore(url), await openStore(url)];
      const [first] = stores;
      if (first === undefined) throw new Error('No store was opened');
      const before = await open(first);
      const next = (await first.listSigningKeys()).find(({ status }) => status === 'next');
      const meeting = { missing: 2, all: Promise.withResolvers<void>() };
      const rotations = await Promise.all(
        stores.map((one) => rotateKeys({ ...deps, store: meetAtKeys(one, meeting) })),
      );
      expect(rotations.filter((rotation) => rotation !== undefined)).toEqual([
        expect.objectContaining({ currentKid: next?.kid }),
      ]);
      const rows = await first.listSigningKeys();
      expect(rows).toHaveLength(3);
      expect(rows.find(({ status }) => status === 'retired')?.kid).toBe(before.current.kid);
      for (const one of stores) await one.close();
    }));
});

describe('rotateOldKeys', () => {
  const HOUR = 3_600;

  it.each<[string, number, number, boolean]>([
    ['is too young', HOUR, HOUR - 0.001, false],
    ['has reached its age', HOUR, HOUR, true],
    ['is long past it', HOUR, 100 * HOUR, true],
    ['is old, but the next was just published', 60, JWKS_MAX_AGE_SECONDS - 0.001, false],
    ['is old, and the next has been published long enough', 60, JWKS_MAX_AGE_SECONDS, true],
  ])('rotates when due: the current key %s', async (_, maxAgeSeconds, ageSeconds, rotates) => {
    await open();
    const before = await store.listSigningKeys();
    clock.now = after(ageSeconds);
    const rotation = await rotateOldKeys(deps, maxAgeSeconds);
    expect(rotation !== undefined).toBe(rotates);
    expect((await store.listSigningKeys()).length).toBe(before.length + (rotates ? 1 : 0));
  });

  it('counts the age of a key from its first use, not from its creation', async () => {
    await open();
    clock.now = after(HOUR);
    expect(await rotateOldKeys(deps, HOUR)).toBeDefined();
    clock.now = after(2 * HOUR - 0.001); // created two hours ago, in use for one
    expect(await rotateOldKeys(deps, HOUR)).toBeUndefined();
    clock.now = after(2 * HOUR);
    expect(await rotateOldKeys(deps, HOUR)).toBeDefined();
  });

  it('changes nothing before the first keys exist', async () => {
    expect(await rotateOldKeys(deps, HOUR)).toBeUndefined();
    expect(await store.listSigningKeys()).toEqual([]);
  });

  it('throws and changes nothing under another secret', async () => {
    await open();
    const before = await store.listSigningKeys();
    clock.now = after(HOUR);
    const otherDeps = { ...deps, secrets: otherSecrets };
    await expect(rotateOldKeys(otherDeps, HOUR)).rejects.toBeInstanceOf(ConfigError);
    expect(await store.listSigningKeys()).toEqual(before);
  });
});
