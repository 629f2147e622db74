// The tokens of a server that issues them: its keys, their verification, and what ends a token before its time.
import type { Log } from '../log.ts';
import type { Store } from '../stores/store.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './algorithms.ts';
import { type AuthenticateAtOnce, createAuthenticate } from './authenticate.ts';
import { createSessionCheck } from './check-session.ts';
import { type Keyring, openKeyring } from './keyring.ts';
import { MAX_CLOCK_DIFFERENCE_SECONDS } from './recent-changes.ts';
import type { Secrets } from './secrets.ts';
import { createSessionChanges, type SessionChanges } from './session-changes.ts';
import { createVerifier, type Verifier } from './verifier.ts';

export interface TokenDeps {
  store: Store;
  secrets: Secrets;
  config: {
    issuer: string;
    audience: string;
    algorithm: SigningAlgorithm;
    accessTtlSeconds: number;
    maxStaleSeconds: number;
  };
  log: Log;
  now: () => Date;
}

export interface Tokens {
  keyring: Keyring;
  verifier: Verifier;
  changes: SessionChanges;
  authenticate: AuthenticateAtOnce;
  stop(): void;
}

const KEYS_AGAIN_AFTER_MS = 1_000;

/**
 * Loads the keys, and follows what other instances do to keys, sessions and roles.
 * @throws ConfigError where the secret is not the one the keys were encrypted under; AuthError `STORE_UNAVAILABLE`
 */
export async function openTokens({ store, secrets, config, log, now }: TokenDeps): Promise<Tokens> {
  const keyring = await openKeyring(store, secrets, config.algorithm, now);
  const changes = createSessionChanges(config.accessTtlSeconds, now);
  const verifier = createVerifier({
    ...config,
    algorithms: SIGNING_ALGORITHMS,
    keys: keyring.findKey,
    // What has changed is remembered for so long: a token from when they lived longer must not outlive that.
    maxAgeSeconds: config.accessTtlSeconds,
    maxAheadSeconds: MAX_CLOCK_DIFFERENCE_SECONDS,
    now,
  });
  const checkSession = createSessionCheck({
    changes,
    changesKnownAt: store.changesToldAt,
    findStanding: store.findSessionStanding,
    maxStaleSeconds: config.maxStaleSeconds,
  });
  let again: NodeJS.Timeout | undefined;
  let isStopped = false;

  function followKeys(): void {
    clearTimeout(again);
    keyring.reload().catch((err) => {
      if (isStopped) return;
      log.error({ err }, 'the signing keys have changed, and cannot be read; trying again');
      again = setTimeout(followKeys, KEYS_AGAIN_AFTER_MS).unref();
    });
  }

  await store.followChanges((change) => {
    if (change.kind === 'KEYS_CHANGED') followKeys();
    else changes.apply(change);
  }, changes.since);

  return {
    keyring,
    verifier,
    changes,
    authenticate: createAuthenticate(verifier, checkSession),
    stop() {
      isStopped = true;
      clearTimeout(again);
    },
  };
}
