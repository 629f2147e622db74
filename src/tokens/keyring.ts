// The server's own signing keys: made on first start, kept encrypted in the store, published as a JWK Set.
import {
  type CryptoKey,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { ConfigError } from '../errors.ts';
import type { SigningKeyRow, Store } from '../stores/store.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts';
import type { Secrets } from './secrets.ts';

interface SigningKey {
  kid: string;
  algorithm: SigningAlgorithm;
  privateKey: CryptoKey;
}

export interface Keyring {
  /** The key that signs new tokens. */
  current: SigningKey;
  /** Every key whose tokens may still be valid, for `jwtVerify`. */
  findKey: JWTVerifyGetKey;
  /** The public halves (RFC 7517, section 5). */
  jwks: JSONWebKeySet;
}

/**
 * Loads the keys from the store, making the first one where there is none.
 * @throws ConfigError where the secret is not the one the keys were encrypted under
 */
export async function openKeyring(
  store: Store,
  secrets: Secrets,
  algorithm: SigningAlgorithm,
  now: () => Date,
): Promise<Keyring> {
  let rows = await store.listSigningKeys();
  if (!rows.some((row) => row.status === 'current' && row.algorithm === algorithm)) {
    await store.replaceCurrentSigningKey(await makeKeyRow(algorithm, secrets, now()), now());
    rows = await store.listSigningKeys();
  }
  const row = rows.find(({ status }) => status === 'current');
  if (row === undefined) throw new Error('The store has no current signing key');

  const publicKeys = new Map<string, { algorithm: string; key: CryptoKey }>();
  for (const { kid, algorithm, publicJwk } of rows) {
    publicKeys.set(kid, { algorithm, key: await importKey(publicJwk, algorithm) });
  }
  return {
    current: await openKey(row, secrets),
    findKey: async (header) => {
      const found = publicKeys.get(header.kid ?? '');
      if (found === undefined || found.algorithm !== header.alg) throw new errors.JWKSNoMatchingKey();
      return found.key;
    },
    jwks: {
      keys: rows.map(({ kid, algorithm, publicJwk }) => ({ ...publicJwk, kid, alg: algorithm, use: 'sig' })),
    },
  };
}

async function makeKeyRow(algorithm: SigningAlgorithm, secrets: Secrets, now: Date): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = crypto.randomUUID();
  return {
    kid,
    algorithm,
    status: 'current',
    publicJwk: await exportJWK(publicKey),
    sealedPrivateJwk: secrets.seal(JSON.stringify(await exportJWK(privateKey)), kid),
    createdAt: now,
  };
}

async function openKey(row: SigningKeyRow, secrets: Secrets): Promise<SigningKey> {
  const opened = secrets.open(row.sealedPrivateJwk, row.kid);
  if (opened === undefined || !isSigningAlgorithm(row.algorithm)) {
    throw new ConfigError([
      'BANDHA_SECRET: does not open the signing keys in the store; it must be the one they were made under',
    ]);
  }
  const jwk: JWK = JSON.parse(opened);
  return { kid: row.kid, algorithm: row.algorithm, privateKey: await importKey(jwk, row.algorithm) };
}

async function importKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('A symmetric key stands among the signing keys');
  return key;
}
