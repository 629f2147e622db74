// Signs access tokens with a keyring, and verifies them with its keys.
import { jwtVerify } from 'jose';
import { signAccessToken } from '../../src/tokens/access-token.ts';
import type { Keyring } from '../../src/tokens/keys/keyring.ts';

export function signWith(keyring: Keyring, now: Date): Promise<string> {
  const subject = { userId: 'ada', sessionId: 'session', roles: [], authenticatedAt: now };
  return signAccessToken(subject, keyring, { issuer: 'i', audience: 'a', accessTtlSeconds: 60 }, now);
}

/** @returns the `sub` of a token that a key of the keyring verifies */
export async function subjectOf(token: string, keyring: Keyring): Promise<string | undefined> {
  return (await jwtVerify(token, keyring.findKey)).payload.sub;
}
