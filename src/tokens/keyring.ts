// The server's own signing keys: kept encrypted in the store, published as a JWK Set, followed as they are rotated.
import { setTimeout as wait } from 'node:timers/promises';
import { type CryptoKey, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { inTime } from '../in-time.ts';
import type { Store } from '../stores/store.ts';
import type { SigningAlgorithm } from './algorithms.ts';
import { importKey, makeKeyRow, openKey, type SigningKey } from './make-key.ts';
import type { Secrets } from './secrets.ts';

export interface Keyring {
  /** The key that signs new tokens. */
  readonly current: SigningKey;
  /** Every key whose tokens may still be valid, for `jwtVerify`; asks the store about one it does not know. */
  findKey: JWTVerifyGetKey;
  /** The public halves, of the key that will sign next too (RFC 7517, section 5). */
  readonly jwks: JSONWebKeySet;
  /** Reads the keys from the store again. Where that fails, those there are go on being used. */
  reload(): Promise<void>;
}

/** The keys at one moment. */
interface KeySet {
  current: SigningKey;
  publicKeys: ReadonlyMap<string, { algorithm: string; key: CryptoKey }>;
  jwks: JSONWebKeySet;
}

/** Names that are on no key make the store be asked no more often than this. */
const ASK_EVERY_MS = 250;
/** How long a token with such a name waits for the store. */
const ASK_WITHIN_MS = 1_000;

/**
 * Loads the keys from the store, making the current and the next one where they are missing.
 * @throws ConfigError where the secret is not the one the keys were encrypted under; AuthError `STORE_UNAVAILABLE`
 */
export async function openKeyring(
  store: Store,
  secrets: Secrets,
  algorithm: SigningAlgorithm,
  now: () => Date,
): Promise<Keyring> {
  await provideKeys(store, secrets, algorithm, now());
  let keys = await loadKeys(store, secrets);
  let underWay: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let asking: Promise<void> | undefined;
  let readAt = performance.now();

  /** One read for all who wait, begun after they asked. */
  function reload(): Promise<void> {
    queued ??= underWay
      .catch(() => {})
      .then(async () => {
        queued = undefined;
        readAt = performance.now();
        keys = await loadKeys(store, secrets);
      });
    underWay = queued;
    return queued;
  }

  /** Made-up names cost the store little, and a name that is new here is found all the same. */
  function ask(): Promise<void> {
    const pause = Math.max(0, readAt + ASK_EVERY_MS - performance.now());
    asking ??= wait(pause)
      .then(reload)
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  const find = ({ kid = '', alg }: { kid?: string; alg?: string }) => {
    const found = keys.publicKeys.get(kid);
    return found?.algorithm === alg ? found?.key : undefined;
  };

  return {
    reload,
    get current() {
      return keys.current;
    },
    get jwks() {
      return keys.jwks;
    },
    async findKey(header) {
      const isNew = header.kid !== undefined && !keys.publicKeys.has(header.kid);
      if (isNew) await inTime(ask(), ASK_WITHIN_MS);
      const key = find(header);
      if (key === undefined) throw new errors.JWKSNoMatchingKey();
      return key;
    },
  };
}

/** Makes the keys of the algorithm that are missing; the store keeps the first of several that do so at once. */
async function provideKeys(
  store: Store,
  secrets: Secrets,
  algorithm: SigningAlgorithm,
  now: Date,
): Promise<void> {
  const rows = await store.listSigningKeys();
  const missing = (['current', 'next'] as const).filter(
    (status) => !rows.some((row) => row.status === status && row.algorithm === algorithm),
  );
  if (missing.length === 0) return;
  const made = await Promise.all(missing.map((status) => makeKeyRow(algorithm, status, secrets, now)));
  await store.provideSigningKeys(made, now);
}

async function loadKeys(store: Store, secrets: Secrets): Promise<KeySet> {
  const rows = await store.listSigningKeys();
  const current = rows.find(({ status }) => status === 'current');
  if (current === undefined) throw new Error('The store has no current signing key');
  const publicKeys = new Map<string, { algorithm: string; key: CryptoKey }>();
  for (const { kid, algorithm, publicJwk } of rows) {
    publicKeys.set(kid, { algorithm, key: await importKey(publicJwk, algorithm) });
  }
  return {
    current: await openKey(current, secrets),
    publicKeys,
    jwks: {
      keys: rows.map(({ kid, algorithm, publicJwk }) => ({ ...publicJwk, kid, alg: algorithm, use: 'sig' })),
    },
  };
}
