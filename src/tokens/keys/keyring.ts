// The server's own signing keys: loaded from the store, decrypted, and reloaded when they are rotated.
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
   *
   * @throws AuthError `KEYS_UNAVAILABLE` if it was revoked and its replacement cannot be read
   */
  readonly current: SigningKey;
  /** Finds the key of a token, for `jwtVerify`. Queries the store for an unknown `kid`. */
  findKey: JWTVerifyGetKey;
  /** @returns whether a key with this `kid` exists: its tokens may be valid */
  has(kid: string): boolean;
  /** The public keys, including the one that will sign next (RFC 7517, section 5). */
  readonly jwks: JSONWebKeySet;
  /** Reads the keys from the store again. If that fails, the loaded keys stay in use. */
  reload(): Promise<void>;
  /** Calls `listener` after a key was removed: tokens that it verified must be verified again. */
  onRemoval(listener: () => void): void;
}

/** Minimum time between two reloads for tokens with an unknown `kid`. */
const MIN_RELOAD_INTERVAL_MS = 250;
/** Maximum time that a token with an unknown `kid` waits for the store. */
const STORE_TIMEOUT_MS = 1_000;

/**
 * Loads the keys from the store, and creates the current and the next key if they are missing.
 *
 * @throws ConfigError if the keys were encrypted under another secret; AuthError `STORE_UNAVAILABLE`
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
    // A revoked key never signs again, even if its replacement cannot be read.
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

  /** Concurrent callers share one read, which starts after their call. */
  function reload(): Promise<void> {
    queued ??= pending
      .catch(() => {})
      .then(async () => {
        queued = undefined;
        loadedAt = performance.now();
        // An operator may have revoked every key.
        if (!(await load())) await ensureAndLoad();
      });
    pending = queued;
    return queued;
  }

  /** Limits the queries that made-up `kid`s can cause, and still finds a key that is new to this instance. */
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

/** Creates the missing keys of the algorithm. If several instances do so at once, the store keeps the first. */
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
