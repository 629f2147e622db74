// The public halves of the signing keys, with the time until which each may have signed.
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet } from 'jose';
import type { SigningKeyRow } from '../../storage/store.ts';
import { MAX_CLOCK_DIFFERENCE_SECONDS } from '../revocation/expiring-map.ts';
import { importKey } from './signing-key.ts';

interface PublicKey {
  algorithm: string;
  key: CryptoKey;
  /**
   * The last `iat`, in seconds, that a token of this key may have; Infinity until it is retired. A later one was made
   * with a stolen copy of the key.
   */
  lastIssuedAt: number;
}

/** The keys that tokens are verified with, at one moment. */
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

/** Another instance may have signed a moment later, and by another clock. */
function lastIssuedAt(retiredAt: Date | undefined): number {
  return retiredAt === undefined ? Infinity : retiredAt.getTime() / 1000 + MAX_CLOCK_DIFFERENCE_SECONDS;
}

/** The `iat` that a token states, in seconds, before its signature is checked; 0 if it states none. */
export function issuedAt({ payload }: FlattenedJWSInput): number {
  try {
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('latin1');
    const { iat }: { iat?: unknown } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof iat === 'number' ? iat : 0;
  } catch {
    return 0;
  }
}
