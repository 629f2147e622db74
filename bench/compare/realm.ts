// One key for everybody: the contenders verify the very tokens that Bandha would have issued.
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { resolveConfig } from '../../src/config/config.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { signAccessToken } from '../../src/tokens/access-token.ts';
import { openKeyring } from '../../src/tokens/keys/keyring.ts';
import { createSecrets } from '../../src/tokens/secrets.ts';
import type { Settings } from '../contenders/serve.ts';

export interface Realm {
  settings: Settings;
  /** As many EdDSA access tokens, each of a user and session of its own. */
  signTokens(count: number): Promise<string[]>;
  /** The same claims under HS256. */
  signHs256Tokens(count: number): string[];
}

/** Longer than any run: none of the tokens expires. */
const ACCESS_TTL_SECONDS = 24 * 60 * 60;
const SECRET = 'a secret that only this bench knows of';
const SIGNED_AT_ONCE = 200;

/** Makes the store that Bandha will find, with its keys in it. */
export async function makeRealm(folder: string, accounts = 0): Promise<Realm> {
  const databaseUrl = `sqlite:${join(folder, `${crypto.randomUUID()}.db`)}`;
  const config = resolveConfig({ accessTtlSeconds: ACCESS_TTL_SECONDS });
  const store = await openStore(databaseUrl);
  const now = new Date();
  const keyring = await openKeyring(store, createSecrets(SECRET), config.algorithm, () => now);
  await store.close();
  const [publicJwk] = keyring.jwks.keys.filter(({ kid }) => kid === keyring.current.kid);
  const settings: Settings = {
    issuer: config.issuer,
    audience: config.audience,
    publicJwk,
    sharedSecret: SECRET,
    databaseUrl,
    secret: SECRET,
    accessTtlSeconds: ACCESS_TTL_SECONDS,
    accounts: {
      emails: Array.from({ length: accounts }, (_, i) => `user-${i}@example.com`),
      password: 'correct horse battery staple',
    },
  };

  const sign = () => {
    const subject = {
      userId: crypto.randomUUID(),
      sessionId: crypto.randomUUID(),
      roles: [],
      authenticatedAt: now,
    };
    return signAccessToken(subject, keyring, config, now);
  };
  return {
    settings,
    async signTokens(count) {
      const tokens: string[] = [];
      while (tokens.length < count) {
        const length = Math.min(SIGNED_AT_ONCE, count - tokens.length);
        tokens.push(...(await Promise.all(Array.from({ length }, sign))));
      }
      return tokens;
    },
    signHs256Tokens: (count) => Array.from({ length: count }, () => signHs256(config, now)),
  };
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
