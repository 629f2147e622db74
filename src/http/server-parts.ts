// The plugins of Bandha's own Yoga server, in the order in which they run, and what they share with the fast path.
import type { Plugin } from 'graphql-yoga';
import type { EnforcedSchema } from '../authorization/enforce-schema.ts';
import type { Guard } from '../authorization/guard.ts';
import { createGuardPlugin } from '../authorization/use-guard.ts';
import type { Config } from '../config/config.ts';
import { useAuthentication } from '../context.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Store } from '../storage/store.ts';
import type { AuthenticateMaybeAsync } from '../tokens/authenticate.ts';
import type { Keyring } from '../tokens/keys/keyring.ts';
import { FEED_STALE_AFTER_MS } from '../tokens/revocation/session-check.ts';
import type { Log } from '../utils/log.ts';
import { createLongDocumentQueue, useLongDocumentQueue } from './documents/long-documents.ts';
import type { ServerParts } from './fast-path/listener.ts';
import { useResponseHeaders } from './headers.ts';
import { createLimitCheck, type ResolvedLimits } from './limits/operation-limits.ts';
import { createValidate } from './limits/validate-operation.ts';
import { useBlockSuggestions } from './plugins/use-block-suggestions.ts';
import { type BodyCheckOptions, useBodyChecks } from './plugins/use-body-checks.ts';
import { useClientAddress } from './plugins/use-client-address.ts';
import { createDenialReport, useDenialLog } from './plugins/use-denial-log.ts';
import { useDocumentCache } from './plugins/use-document-cache.ts';
import { useGraphiql } from './plugins/use-graphiql.ts';
import { useHealthCheck } from './plugins/use-health-check.ts';
import { useInputErrors } from './plugins/use-input-errors.ts';
import { useJwks } from './plugins/use-jwks.ts';
import { useLimits } from './plugins/use-limits.ts';
import { useMetrics } from './plugins/use-metrics.ts';
import { useAllPrivate, usePrivatePaths } from './plugins/use-private-paths.ts';
import { useRequestTarget } from './plugins/use-request-target.ts';
import { useRootRedirect } from './plugins/use-root-redirect.ts';
import { useSubscriptionLimits } from './plugins/use-subscription-limits.ts';

export interface ServerPartsDeps {
  config: Config;
  store: Store;
  keyring: Keyring;
  metrics: Metrics;
  authenticate: AuthenticateMaybeAsync;
  guard: Guard;
  operationLimits: ResolvedLimits;
  bodyLimits: BodyCheckOptions;
  log: Log;
}

/** Creates the plugins that every server with Bandha's schema needs, `plugins` of `createBandha`. */
export function createServerParts(deps: ServerPartsDeps): ServerParts {
  const { config, store, keyring, metrics, authenticate, guard, operationLimits, bodyLimits, log } = deps;
  const { maxBodyBytes } = bodyLimits;
  const findExceededLimit = createLimitCheck(operationLimits);
  const reportDenials = createDenialReport(log);
  const longDocuments = createLongDocumentQueue();
  return {
    plugins: [
      useRequestTarget(),
      useBodyChecks(bodyLimits),
      useClientAddress(),
      useLongDocumentQueue(longDocuments, maxBodyBytes),
      useLimits(operationLimits, findExceededLimit),
      useInputErrors(),
      useDocumentCache({ log }),
      useResponseHeaders(),
      useMetrics(metrics, config.metrics === true),
      usePrivatePaths(),
      useJwks(() => keyring.jwks),
      useHealthCheck({
        store: () => store.ping(),
        keys: () => keyring.current,
        revocations: () => assertFeedSynced(store.feedSyncedAt()),
      }),
      useAuthentication(authenticate),
      useDenialLog(reportDenials),
      createGuardPlugin(guard),
      useSubscriptionLimits(config),
      useBlockSuggestions({
        introspection: config.graphiql,
        validate: createValidate(operationLimits.maxComparedFields),
      }),
    ],
    guard,
    findExceededLimit,
    authenticate,
    reportDenials,
    onDenied: config.onDenied,
    maxBodyBytes,
    longDocuments,
    metrics,
    log,
    bodyTimeoutSeconds: config.bodyTimeoutSeconds,
  };
}

/** Creates the plugins of Bandha's own Yoga server alone: private responses on every path, and GraphiQL if it is configured. */
export function createOwnServerPlugins(
  { signup, production, graphiql }: Pick<Config, 'signup' | 'production' | 'graphiql'>,
  authenticate: AuthenticateMaybeAsync,
  enforcedSchema: EnforcedSchema,
): Plugin[] {
  if (!graphiql) return [useAllPrivate()];
  return [
    useAllPrivate(),
    useRootRedirect(),
    useGraphiql({ authenticate, enforcedSchema, signup, showsAll: !production }),
  ];
}

/** @param syncedAt by `performance.now()` */
function assertFeedSynced(syncedAt: number): void {
  if (performance.now() - syncedAt > FEED_STALE_AFTER_MS)
    throw new Error('the revocation feed is not synced');
}
