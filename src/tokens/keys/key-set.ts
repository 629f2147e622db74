// Public keys of the server, each with the time until which it may have signed.
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet } from 'jose';
import type { SigningKeyRow } from '../../storage/store.ts';
import { MAX_CLOCK_DIFFERENCE_SECONDS } from '../revocation/expiring-map.ts';
import { importKey } from './signing-key.ts';

interface PublicKey {
  algorithm: string;
  key: CryptoKey;
  /**
   * Latest `iat` of this key's tokens, in seconds since 1970; Infinity until the key is retired. An attacker with a stolen copy of
   * the key signed any later token.
   */
  lastIssuedAt: number;
}

/** Snapshot of the keys that verify tokens. */
export interface KeySet {
  /** By `kid`. */
  publicKeys: ReadonlyMap<string, PublicKey>;
  jwks: JSONWebKeySet;
}

export async function toKeySet(rows: readonly SigningKeyRow[]): Promise<KeySet> {
  const publicKeys = new Map<string, PublicKey>();
  for (const { kid, algorithm, publicJwk, retiredAt } of rows) {
    const key = await importKey(publicJwk, algorithm);
    publicKeys.set(kid, { algorithm, key, lastIssuedAt: lastIssuedAt(retiredAt) });
  }
  return {
    publicKeys,
    jwks: {
      keys: rows.map(({ kid, algorithm, publicJwk }) => ({ ...publicJwk, kid, alg: algorithm, use: 'sig' })),
    },
  };
}

/** Allows for an instance that learned of the retirement later, and for its clock. */
function lastIssuedAt(retiredAt: Date | undefined): number {
  return retiredAt === undefined ? Infinity : retiredAt.getTime() / 1000 + MAX_CLOCK_DIFFERENCE_SECONDS;
}

/** @returns the `iat` of a token before its signature is verified, in seconds since 1970; 0 if it has none */
export function issuedAt({ payload }: FlattenedJWSInput): number {
  try {
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('latin1');
    const { iat }: { iat?: unknown } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof iat === 'number' ? iat : 0;
  } catch {
    return 0;
  }
}
