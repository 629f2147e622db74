// What the processor does for tokens and passwords, beside the store.
import { createPasswordHasher } from '../../../src/passwords/hasher.ts';
import { signAccessToken } from '../../../src/tokens/access-token.ts';
import type { Keyring } from '../../../src/tokens/keys/keyring.ts';
import { decryptSigningKey, generateSigningKey, importKey } from '../../../src/tokens/keys/signing-key.ts';
import { createSecrets } from '../../../src/tokens/secrets.ts';
import { createVerifier } from '../../../src/tokens/verifier.ts';
import { median } from '../../support/statistics.ts';

export interface ProcessorCosts {
  /** CPU time in microseconds. */
  verifyPassword: number;
  signToken: number;
  verifyToken: number;
}

const ROUNDS = 10;
const ISSUER = { issuer: 'http://localhost:4000', audience: 'bandha', accessTtlSeconds: 600 };

export async function measureProcessor(): Promise<ProcessorCosts> {
  const hasher = await createPasswordHasher();
  const phc = await hasher.hash('a phrase that only this bench knows of');
  const secrets = createSecrets('a secret that only this bench knows of');
  const row = await generateSigningKey('EdDSA', 'current', secrets, new Date());
  const publicKey = await importKey(row.publicJwk, row.algorithm);
  const keyring: Pick<Keyring, 'current'> = { current: await decryptSigningKey(row, secrets) };
  const subject = {
    userId: crypto.randomUUID(),
    sessionId: crypto.randomUUID(),
    roles: [],
    authenticatedAt: new Date(),
  };
  // The ring's other parts are not asked for where a token is signed.
  const sign = () => signAccessToken(subject, keyring as Keyring, ISSUER, new Date());
  const token = await sign();

  const verifyPassword = await cpuOf(10, () =>
    hasher.verify('a phrase that only this bench knows not of', phc),
  );
  await hasher.close();
  return {
    verifyPassword,
    signToken: await cpuOf(500, sign),
    // Each asks a verifier that has not seen the token.
    verifyToken: await cpuOf(500, () =>
      createVerifier({ ...ISSUER, keys: () => publicKey, maxCachedTokens: 1 }).verify(token),
    ),
  };
}

/** The median over the rounds of the CPU time of one, of all threads. */
async function cpuOf(times: number, run: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i += 1) await run();
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / times);
  }
  return median(rounds);
}
