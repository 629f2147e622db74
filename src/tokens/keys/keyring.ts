// The server's own signing keys: kept encrypted in the store, published as a JWK Set, followed as they are rotated.
import { setTimeout as wait } from 'node:timers/promises';
import { errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AuthError } from '../../errors.ts';
import type { Store } from '../../storage/store.ts';
import { withTimeout } from '../../utils/with-timeout.ts';
import type { SigningAlgorithm } from '../algorithms.ts';
import type { Secrets } from '../secrets.ts';
import { issuedAt, type KeySet, toKeySet } from './key-set.ts';
import { decryptSigningKey, generateSigningKey, type SigningKey } from './signing-key.ts';

export interface Keyring {
  /**
   * The key that signs new tokens.
   * @throws AuthError `KEYS_UNAVAILABLE` if it was revoked and the one in its place cannot be read
   */
  readonly current: SigningKey;
  /** Every key whose tokens may still be valid, for `jwtVerify`; queries the store for an unknown `kid`. */
  findKey: JWTVerifyGetKey;
  /** Whether a key of this `kid` may still have valid tokens. */
  has(kid: string): boolean;
  /** The public halves, of the key that will sign next too (RFC 7517, section 5). */
  readonly jwks: JSONWebKeySet;
  /** Reads the keys from the store again. If that fails, those there are go on being used. */
  reload(): Promise<void>;
  /** Calls `listener` after a key has been removed: what was verified with it must be verified again. */
  onRemoval(listener: () => void): void;
}

/** Names that are on no key make the store be asked no more often than this. */
const MIN_RELOAD_INTERVAL_MS = 250;
/** How long a token with such a name waits for the store. */
const STORE_TIMEOUT_MS = 1_000;

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
  let keys: KeySet = { publicKeys: new Map(), jwks: { keys: [] } };
  let signing: SigningKey | undefined;
  let notifyRemoval = () => {};
  let pending: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let reloading: Promise<void> | undefined;
  let loadedAt = performance.now();

  function apply(next: KeySet, nextSigning: SigningKey | undefined): void {
    const isRemoval = [...keys.publicKeys.keys()].some((kid) => !next.publicKeys.has(kid));
    keys = next;
    // A key that was revoked signs no more, whatever becomes of the one in its place.
    signing = nextSigning && next.publicKeys.has(nextSigning.kid) ? nextSigning : undefined;
    if (isRemoval) notifyRemoval();
  }

  /** @returns whether there is a current key */
  async function load(): Promise<boolean> {
    const rows = await store.listSigningKeys();
    const next = await toKeySet(rows);
    const current = rows.find(({ status }) => status === 'current');
    let decrypted = signing;
    try {
      if (current !== undefined) decrypted = await decryptSigningKey(current, secrets);
    } finally {
      apply(next, decrypted);
    }
    return current !== undefined;
  }

  async function ensureAndLoad(): Promise<void> {
    await ensureKeys(store, secrets, algorithm, now());
    if (!(await load())) throw new Error('The store has no current signing key');
  }
  await ensureAndLoad();

  /** One read for all who wait, begun after they asked. */
  function reload(): Promise<void> {
    queued ??= pending
      .catch(() => {})
      .then(async () => {
        queued = undefined;
        loadedAt = performance.now();
        // Every key may have been revoked.
        if (!(await load())) await ensureAndLoad();
      });
    pending = queued;
    return queued;
  }

  /** Made-up names cost the store little, and a name that is new here is found all the same. */
  function reloadThrottled(): Promise<void> {
    const pause = Math.max(0, loadedAt + MIN_RELOAD_INTERVAL_MS - performance.now());
    reloading ??= wait(pause)
      .then(reload)
      .finally(() => {
        reloading = undefined;
      });
    return reloading;
  }

  return {
    reload,
    has: (kid) => keys.publicKeys.has(kid),
    onRemoval(listener) {
      notifyRemoval = listener;
    },
    get current() {
      if (signing === undefined) throw new AuthError('KEYS_UNAVAILABLE');
      return signing;
    },
    get jwks() {
      return keys.jwks;
    },
    async findKey({ kid = '', alg }, token) {
      if (kid !== '' && !keys.publicKeys.has(kid)) await withTimeout(reloadThrottled(), STORE_TIMEOUT_MS);
      const found = keys.publicKeys.get(kid);
      if (found?.algorithm !== alg || issuedAt(token) > (found?.lastIssuedAt ?? 0)) {
        throw new errors.JWKSNoMatchingKey();
      }
      return found.key;
    },
  };
}

/** Makes the keys of the algorithm that are missing; the store keeps the first of several that do so at once. */
async function ensureKeys(
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
  const created = await Promise.all(
    missing.map((status) => generateSigningKey(algorithm, status, secrets, now)),
  );
  await store.addSigningKeys(created, now);
}
