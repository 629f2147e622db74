// Access tokens for sessions that are in the store, signed as the server signs them.

import { randomBytes } from 'node:crypto';
import { resolveConfig } from '../../../src/config/config.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { signAccessToken } from '../../../src/tokens/access-token.ts';
import { openKeyring } from '../../../src/tokens/keys/keyring.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { idOf, userOf } from '../../support/fill-store.ts';
import type { Place } from './places.ts';

/** Of the sessions `first`, `first + 1`, …, so many. */
export async function makeTokens(place: Place, first: number, count: number): Promise<string[]> {
  const config = resolveConfig(place);
  const store = await openStore(place.databaseUrl);
  const now = new Date();
  try {
    const keyring = await openKeyring(store, createSecrets(place.secret), config.algorithm, () => now);
    const tokens: string[] = [];
    for (let i = first; i < first + count; i += 1) {
      const subject = {
        userId: idOf('user', userOf(i)),
        sessionId: idOf('session', i),
        roles: [],
        authenticatedAt: now,
      };
      tokens.push(await signAccessToken(subject, keyring, config, now));
    }
    return tokens;
  } finally {
    await store.close();
  }
}

/** So many tokens with signatures that are made up: verified like others, refused, and not remembered. */
export function forge(token: string, count: number): string[] {
  const signed = token.slice(0, token.lastIndexOf('.'));
  return Array.from({ length: count }, () => `${signed}.${randomBytes(64).toString('base64url')}`);
}

/** So that neighbours in memory are not asked for one after the other. */
export function shuffle<T>(values: T[]): T[] {
  for (let i = values.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [values[i], values[j]] = [values[j] as T, values[i] as T]; // both are below the length
  }
  return values;
}
