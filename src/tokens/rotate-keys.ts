// Puts the next signing key into use, and publishes the one after it.
import type { Store } from '../stores/store.ts';
import { makeKeyRow, openKey } from './make-key.ts';
import type { Secrets } from './secrets.ts';

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
  knownEverywhereAt: Date;
}

/**
 * @returns undefined, and has changed nothing, where another instance rotated in this moment, or there are no keys yet
 * @throws ConfigError where the secret is not the one that the keys are sealed under
 */
export async function rotateKeys({ store, secrets, now }: RotateDeps): Promise<KeyRotation | undefined> {
  const next = (await store.listSigningKeys()).find(({ status }) => status === 'next');
  if (next === undefined) return undefined;
  const { algorithm } = await openKey(next, secrets);
  const replacement = await makeKeyRow(algorithm, 'next', secrets, now());
  if (!(await store.rotateSigningKeys(next.kid, replacement, now()))) return undefined;
  return {
    currentKid: next.kid,
    nextKid: replacement.kid,
    knownEverywhereAt: new Date(next.createdAt.getTime() + JWKS_MAX_AGE_SECONDS * 1000),
  };
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
