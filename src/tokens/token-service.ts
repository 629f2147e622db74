// Tokens of a server that issues them: signing keys, verification, revocation.
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
  revocations: RevocationCache;
  successorUse: SuccessorUse;
  authenticate: AuthenticateMaybeAsync;
  /** Calls `onEnd` once, when the principal's token is no longer accepted. @returns a function that stops the watch */
  watch(principal: Principal, onEnd: (problem: TokenProblem) => void): () => void;
  /** Stops reloading keys. */
  stop(): void;
}

const KEY_RELOAD_RETRY_MS = 1_000;

/**
 * Loads the signing keys, and subscribes to changes of keys, sessions and roles by other instances.
 *
 * @throws ConfigError if the keys were encrypted under another secret; AuthError `STORE_UNAVAILABLE`
 */
export async function createTokenService({
  store,
  secrets,
  config,
  log,
  now,
}: TokenServiceDeps): Promise<TokenService> {
  const keyring = await openKeyring(store, secrets, config.algorithm, now);
  const revocations = createRevocationCache(config.accessTtlSeconds, now);
  const report = createTokenLog(log, { issuer: config.issuer });
  const successorUse = createSuccessorUse(now);
  const verifier = createOwnVerifier(keyring, { ...config, report, now, onVerified: successorUse.record });
  const checkSession = createSessionCheck({
    revocations,
    feedSyncedAt: store.feedSyncedAt,
    findStatus: store.findSessionStatus,
    maxStaleSeconds: config.maxStaleSeconds,
  });
  let retryTimer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function reloadKeys(): void {
    clearTimeout(retryTimer);
    keyring.reload().catch((err) => {
      if (isStopped) return;
      log.error({ err }, 'signing keys changed and cannot be read; retrying');
      retryTimer = setTimeout(reloadKeys, KEY_RELOAD_RETRY_MS).unref();
    });
  }

  let isReplayed = false;
  await store.subscribe((change) => {
    if (change.kind === 'KEYS_CHANGED') reloadKeys();
    else revocations.apply(change);
    if (isReplayed) logChange(log, change);
  }, revocations.replayFrom);
  isReplayed = true;

  return {
    keyring,
    verifier,
    revocations,
    authenticate: createAuthenticate(verifier, checkSession, report),
    successorUse,
    watch(principal, onEnd) {
      let hasEnded = false;
      const end = (problem: TokenProblem) => {
        if (hasEnded) return;
        hasEnded = true;
        onEnd(problem);
      };
      const stops = [verifier.watchKey(principal, end), revocations.watch(principal, end, checkSession)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    stop() {
      isStopped = true;
      clearTimeout(retryTimer);
    },
  };
}

/** Logs events of every instance and command. */
function logChange(log: Log, change: FeedEvent): void {
  if (change.kind === 'ROLES_CHANGED') {
    log.info({ userId: change.userId, roles: change.roles }, 'roles changed');
  } else if (change.kind === 'SESSION_REVOKED') {
    log.debug({ sessionId: change.sessionId }, 'session revoked');
  } else if (change.kind === 'KEYS_CHANGED') {
    log.info({}, 'signing keys changed');
  }
}
