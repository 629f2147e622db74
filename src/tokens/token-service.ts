// The tokens of a server that issues them: its keys, their verification, and what ends a token before its time.

import type { TokenProblem } from '../errors.ts';
import type { FeedEvent, Store } from '../storage/store.ts';
import type { Log } from '../utils/log.ts';
import type { SigningAlgorithm } from './algorithms.ts';
import { type AuthenticateMaybeAsync, createAuthenticate } from './authenticate.ts';
import { type Keyring, openKeyring } from './keys/keyring.ts';
import { createOwnVerifier } from './own-verifier.ts';
import type { Principal } from './principal.ts';
import { createRevocationCache, type RevocationCache } from './revocation/revocation-cache.ts';
import { createSessionCheck } from './revocation/session-check.ts';
import type { Secrets } from './secrets.ts';
import { createSuccessorUse, type SuccessorUse } from './successor-use.ts';
import { createTokenLog } from './token-log.ts';
import type { Verifier } from './verifier.ts';

export interface TokenServiceDeps {
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

export interface TokenService {
  keyring: Keyring;
  verifier: Verifier;
  changes: RevocationCache;
  successorUse: SuccessorUse;
  authenticate: AuthenticateMaybeAsync;
  /** Calls `ended` once, when the principal's token is no longer accepted; returns what stops the watch. */
  watch(principal: Principal, ended: (problem: TokenProblem) => void): () => void;
  stop(): void;
}

const KEY_RELOAD_RETRY_MS = 1_000;

/**
 * Loads the keys, and follows what other instances do to keys, sessions and roles.
 * @throws ConfigError where the secret is not the one the keys were encrypted under; AuthError `STORE_UNAVAILABLE`
 */
export async function createTokenService({
  store,
  secrets,
  config,
  log,
  now,
}: TokenServiceDeps): Promise<TokenService> {
  const keyring = await openKeyring(store, secrets, config.algorithm, now);
  const changes = createRevocationCache(config.accessTtlSeconds, now);
  const report = createTokenLog(log, { issuer: config.issuer });
  const successorUse = createSuccessorUse(now);
  const verifier = createOwnVerifier(keyring, { ...config, report, now, onVerified: successorUse.record });
  const checkSession = createSessionCheck({
    changes,
    feedSyncedAt: store.feedSyncedAt,
    findStatus: store.findSessionStatus,
    maxStaleSeconds: config.maxStaleSeconds,
  });
  let again: NodeJS.Timeout | undefined;
  let isStopped = false;

  function reloadKeys(): void {
    clearTimeout(again);
    keyring.reload().catch((err) => {
      if (isStopped) return;
      log.error({ err }, 'the signing keys have changed, and cannot be read; trying again');
      again = setTimeout(reloadKeys, KEY_RELOAD_RETRY_MS).unref();
    });
  }

  let isReplayed = false;
  await store.subscribe((change) => {
    if (change.kind === 'KEYS_CHANGED') reloadKeys();
    else changes.apply(change);
    if (isReplayed) logChange(log, change);
  }, changes.replayFrom);
  isReplayed = true;

  return {
    keyring,
    verifier,
    changes,
    authenticate: createAuthenticate(verifier, checkSession, report),
    successorUse,
    watch(principal, ended) {
      let isOver = false;
      const end = (problem: TokenProblem) => {
        if (isOver) return;
        isOver = true;
        ended(problem);
      };
      const stops = [verifier.watchKey(principal, end), changes.watch(principal, end, checkSession)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    stop() {
      isStopped = true;
      clearTimeout(again);
    },
  };
}

/** Changes by other instances and by commands too, such as a change of roles. */
function logChange(log: Log, change: FeedEvent): void {
  if (change.kind === 'ROLES_CHANGED') {
    log.info({ userId: change.userId, roles: change.roles }, 'roles changed');
  } else if (change.kind === 'SESSION_REVOKED') {
    log.debug({ sessionId: change.sessionId }, 'session revoked');
  } else if (change.kind === 'KEYS_CHANGED') {
    log.info({}, 'signing keys changed');
  }
}
