// Puts the next signing key into use and publishes the one after it; revokes a key that has leaked.
import type { SigningKeyStatus, Store } from '../../storage/store.ts';
import type { Secrets } from '../secrets.ts';
import { decryptSigningKey, generateSigningKey } from './signing-key.ts';

/** How long others may go on using a JWK Set that they have fetched. */
export const JWKS_MAX_AGE_SECONDS = 300;

export interface RotateDeps {
  store: Store;
  secrets: Secrets;
  now: () => Date;
}

export interface KeyRotation {
  /** The key that signs from now on. */
  currentKid: string;
  /** The key that is published now, to sign next. */
  nextKid: string;
  /** Until then there may be somebody elsewhere who does not know the key that signs. */
  propagatedAt: Date;
}

/**
 * @returns undefined, and has changed nothing, where another instance rotated in this moment, or there are no keys yet
 * @throws ConfigError where the secret is not the one that the keys are sealed under
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
 * @returns the status that it had; undefined if there is no such key
 * @throws ConfigError if another key takes its place and the secret is not the one that the keys are encrypted under
 */
export async function revokeKey(
  { store, secrets, now }: Omit<RotateDeps, 'secrets'> & { secrets: () => Secrets },
  kid: string,
): Promise<SigningKeyStatus | undefined> {
  const keys = await store.listSigningKeys();
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) return undefined;
  if (key.status === 'retired') return store.revokeSigningKey(kid, undefined, now());
  // The key that signs afterwards. If it cannot be opened, no instance could sign.
  const successor = keys.find(({ status }) => status === (key.status === 'current' ? 'next' : 'current'));
  const { algorithm } = await decryptSigningKey(successor ?? key, secrets());
  return store.revokeSigningKey(kid, await generateSigningKey(algorithm, 'next', secrets(), now()), now());
}

/** Rotates where the current key has signed for `maxAgeSeconds`, and everybody has had time to learn of the next. */
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
