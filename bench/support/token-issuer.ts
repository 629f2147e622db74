// Signs access tokens with the keys of a store, as Bandha does, for all contenders to verify.
import { createHmac, randomBytes } from 'node:crypto';
import { resolveConfig } from '../../src/config/config.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { signAccessToken } from '../../src/tokens/access-token.ts';
import { openKeyring } from '../../src/tokens/keys/keyring.ts';
import { createSecrets } from '../../src/tokens/secrets.ts';
import type { Settings } from '../contenders/serve.ts';

export interface TokenIssuer {
  settings: Settings;
  /** @returns EdDSA access tokens, each of another user and session unless a subject is given */
  signTokens(count: number, subjectOf?: (i: number) => Subject): Promise<string[]>;
  /** Signs the same claims with HS256. */
  signHs256Tokens(count: number): string[];
}

export interface Subject {
  userId: string;
  sessionId: string;
}

/** Longer than any run, so that no token and no revocation expires meanwhile. */
const ACCESS_TTL_SECONDS = 24 * 60 * 60;
const SECRET = randomBytes(32).toString('base64');
const SIGNED_AT_ONCE = 200;

/**
 * Creates the tables and the signing key if the store has none.
 *
 * @param accountCount accounts that Bandha registers when it starts
 */
export async function createTokenIssuer(databaseUrl: string, accountCount = 0): Promise<TokenIssuer> {
  const config = resolveConfig({ accessTtlSeconds: ACCESS_TTL_SECONDS });
  const store = await openStore(databaseUrl);
  const now = new Date();
  const keyring = await openKeyring(store, createSecrets(SECRET), config.algorithm, () => now);
  await store.close();
  const sign = ({ userId, sessionId }: Subject) =>
    signAccessToken({ userId, sessionId, roles: [], authenticatedAt: now }, keyring, config, now);
  return {
    settings: {
      issuer: config.issuer,
      audience: config.audience,
      publicJwk: keyring.jwks.keys.find(({ kid }) => kid === keyring.current.kid),
      sharedSecret: SECRET,
      databaseUrl,
      secret: SECRET,
      accessTtlSeconds: ACCESS_TTL_SECONDS,
      accounts: {
        emails: Array.from({ length: accountCount }, (_, i) => `user-${i}@example.com`),
        password: 'correct horse battery staple',
      },
    },
    async signTokens(count, subjectOf = randomSubject) {
      const tokens: string[] = [];
      while (tokens.length < count) {
        const length = Math.min(SIGNED_AT_ONCE, count - tokens.length);
        const signing = Array.from({ length }, (_, i) => sign(subjectOf(tokens.length + i)));
        tokens.push(...(await Promise.all(signing)));
      }
      return tokens;
    },
    signHs256Tokens: (count) => Array.from({ length: count }, () => signHs256(config, now)),
  };
}

function randomSubject(): Subject {
  return { userId: crypto.randomUUID(), sessionId: crypto.randomUUID() };
}

function signHs256({ issuer, audience }: { issuer: string; audience: string }, now: Date): string {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const claims = {
    iss: issuer,
    sub: crypto.randomUUID(),
    aud: audience,
    iat: issuedAt,
    exp: issuedAt + ACCESS_TTL_SECONDS,
    jti: crypto.randomUUID(),
  };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
