// Makes signing keys, and opens those that the store keeps sealed.
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

/** A new key pair, its private half sealed under the secret. */
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

/** @throws ConfigError where the secret is not the one that the key was sealed under */
export async function decryptSigningKey(row: SigningKeyRow, secrets: Secrets): Promise<SigningKey> {
  const plaintext = secrets.open(row.sealedPrivateJwk, row.kid);
  if (plaintext === undefined || !isSigningAlgorithm(row.algorithm)) {
    throw new ConfigError([
      'BANDHA_SECRET: is not the secret under which the signing keys in the store were encrypted (without it, .bandha/secret is used). Start with that secret; or, to give it up, which ends every session, run "bandha keys revoke --all" with the new one and start again',
    ]);
  }
  const jwk: JWK = JSON.parse(plaintext);
  return { kid: row.kid, algorithm: row.algorithm, privateKey: await importKey(jwk, row.algorithm) };
}

export async function importKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('A symmetric key stands among the signing keys');
  return key;
}
