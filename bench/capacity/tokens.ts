// Access tokens for sessions of a filled store, signed with the key of that store.
import { randomBytes } from 'node:crypto';
import { resolveConfig } from '../../src/config/config.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { signAccessToken } from '../../src/tokens/access-token.ts';
import { openKeyring } from '../../src/tokens/keys/keyring.ts';
import { createSecrets } from '../../src/tokens/secrets.ts';
import { idOf, userOf } from './fill-store.ts';
import type { Settings } from './stores.ts';

/** @param first index of the first session; each of the sessions from there gets one token */
export async function signTokens(settings: Settings, first: number, count: number): Promise<string[]> {
  const config = resolveConfig(settings);
  const store = await openStore(settings.databaseUrl);
  const now = new Date();
  try {
    const keyring = await openKeyring(store, createSecrets(settings.secret), config.algorithm, () => now);
    const tokens: string[] = [];
    for (let index = first; index < first + count; index += 1) {
      const subject = {
        userId: idOf('user', userOf(index)),
        sessionId: idOf('session', index),
        roles: [],
        authenticatedAt: now,
      };
      tokens.push(await signAccessToken(subject, keyring, config, now));
    }
    return shuffle(tokens);
  } finally {
    await store.close();
  }
}

/** Tokens with random signatures: they cost a verification, are rejected, and are not cached. */
export function forgeTokens(token: string, count: number): string[] {
  const signed = token.slice(0, token.lastIndexOf('.'));
  return Array.from({ length: count }, () => `${signed}.${randomBytes(64).toString('base64url')}`);
}

/** Neighbors in memory are not requested one after the other. */
function shuffle<T>(values: T[]): T[] {
  for (let i = values.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [values[i], values[j]] = [values[j] as T, values[i] as T]; // both are below the length
  }
  return values;
}
