// Creates signing keys, and decrypts those from the store.
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { ConfigError } from '../../errors.ts';
import type { SigningKeyRow } from '../../storage/store.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from '../algorithms.ts';
import type { Secrets } from '../secrets.ts';

export interface SigningKey {
  kid: string;
  algorithm: SigningAlgorithm;
  privateKey: CryptoKey;
}

/** Creates a key pair, with the private key encrypted under the secret. */
export async function generateSigningKey(
  algorithm: SigningAlgorithm,
  status: 'current' | 'next',
  secrets: Secrets,
  now: Date,
): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = crypto.randomUUID();
  return {
    kid,
    algorithm,
    status,
    publicJwk: await exportJWK(publicKey),
    sealedPrivateJwk: secrets.seal(JSON.stringify(await exportJWK(privateKey)), kid),
    createdAt: now,
    currentSince: status === 'current' ? now : undefined,
    retiredAt: undefined,
  };
}

/** @throws ConfigError if the key was encrypted under another secret */
export async function decryptSigningKey(row: SigningKeyRow, secrets: Secrets): Promise<SigningKey> {
  const plaintext = secrets.open(row.sealedPrivateJwk, row.kid);
  if (plaintext === undefined || !isSigningAlgorithm(row.algorithm)) {
    throw new ConfigError([
      'BANDHA_SECRET: must be the secret under which the signing keys in the database were encrypted (if it is not set, .bandha/secret is used). Start with that secret; or, if it is lost, run "bandha keys revoke --all" with the new one, which signs every user out, and start again',
    ]);
  }
  const jwk: JWK = JSON.parse(plaintext);
  return { kid: row.kid, algorithm: row.algorithm, privateKey: await importKey(jwk, row.algorithm) };
}

export async function importKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('The store contains a symmetric signing key');
  return key;
}
