// Rotates the server's signing keys, and revokes a key that has leaked.
import type { SigningKeyStatus, Store } from '../../storage/store.ts';
import type { Secrets } from '../secrets.ts';
import { decryptSigningKey, generateSigningKey } from './signing-key.ts';

/** `max-age` of the published JWK Set: verifiers may use a fetched set for this long. */
export const JWKS_MAX_AGE_SECONDS = 300;

export interface RotateDeps {
  store: Store;
  secrets: Secrets;
  now: () => Date;
}

export interface KeyRotation {
  /** The key that signs from now on. */
  currentKid: string;
  /** The key that will sign next, published from now on. */
  nextKid: string;
  /** Time from which every verifier has the current key; until then, some may use an older JWK Set. */
  propagatedAt: Date;
}

/**
 * Signs with the next key from now on, and publishes a new next key.
 *
 * @returns undefined if nothing changed: another instance rotated at the same moment, or there are no keys yet
 * @throws ConfigError if the keys were encrypted under another secret
 */
export async function rotateKeys({ store, secrets, now }: RotateDeps): Promise<KeyRotation | undefined> {
  const next = (await store.listSigningKeys()).find(({ status }) => status === 'next');
  if (next === undefined) return undefined;
  const { algorithm } = await decryptSigningKey(next, secrets);
  const replacement = await generateSigningKey(algorithm, 'next', secrets, now());
  if (!(await store.rotateSigningKeys(next.kid, replacement, now()))) return undefined;
  return {
    currentKid: next.kid,
    nextKid: replacement.kid,
    propagatedAt: new Date(next.createdAt.getTime() + JWKS_MAX_AGE_SECONDS * 1000),
  };
}

/**
 * Revokes a signing key that has leaked: its tokens are rejected from now on.
 *
 * @param secrets called only if a replacement is necessary
 * @returns the previous status; undefined if there is no such key
 * @throws ConfigError if a replacement is necessary and the keys were encrypted under another secret
 */
export async function revokeKey(
  { store, secrets, now }: Omit<RotateDeps, 'secrets'> & { secrets: () => Secrets },
  kid: string,
): Promise<SigningKeyStatus | undefined> {
  const keys = await store.listSigningKeys();
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) return undefined;
  if (key.status === 'retired') return store.revokeSigningKey(kid, undefined, now());
  // The key that signs afterwards. If it cannot be decrypted, no instance could sign.
  const successor = keys.find(({ status }) => status === (key.status === 'current' ? 'next' : 'current'));
  const { algorithm } = await decryptSigningKey(successor ?? key, secrets());
  return store.revokeSigningKey(kid, await generateSigningKey(algorithm, 'next', secrets(), now()), now());
}

/**
 * Rotates if the current key has signed for `maxAgeSeconds`, and every verifier has had time to fetch the next key.
 *
 * @returns undefined if no rotation was due
 */
export async function rotateOldKeys(
  deps: RotateDeps,
  maxAgeSeconds: number,
): Promise<KeyRotation | undefined> {
  const keys = await deps.store.listSigningKeys();
  const current = keys.find(({ status }) => status === 'current');
  const next = keys.find(({ status }) => status === 'next');
  const age = (since: Date | undefined) => (deps.now().getTime() - (since?.getTime() ?? 0)) / 1000;
  const isDue = age(current?.currentSince) >= maxAgeSeconds && age(next?.createdAt) >= JWKS_MAX_AGE_SECONDS;
  return isDue ? rotateKeys(deps) : undefined;
}
