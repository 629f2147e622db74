// Puts the parts together.
import type { RequestListener } from 'node:http';
import { env } from 'node:process';
import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import { seedAdmin } from './accounts/administration.ts';
import { logAccounts } from './accounts/log-accounts.ts';
import { createGuard } from './authorization/guard.ts';
import { assertGuardOptions } from './authorization/guard-options.ts';
import { createGuardPlugin, type GuardOptions } from './authorization/use-guard.ts';
import { type Config, resolveConfig } from './config/config.ts';
import { openSecrets } from './config/secret-file.ts';
import { warnAtStart } from './config/startup-warnings.ts';
import { useAuthentication } from './context.ts';
import { createSchema, type SchemaExtension } from './graphql/create-schema.ts';
import { createClientInfo } from './graphql/resolvers.ts';
import { createLongDocumentQueue, useLongDocumentQueue } from './http/documents/long-documents.ts';
import { createFastPathListener, type ListenerOptions, type ServerParts } from './http/fast-path/listener.ts';
import { CORS, useResponseHeaders } from './http/headers.ts';
import {
  createLimitCheck,
  type OperationLimits,
  resolveOperationLimits,
} from './http/limits/operation-limits.ts';
import { createValidate } from './http/limits/validate-operation.ts';
import { assertListenerArguments } from './http/listener-options.ts';
import { openMetricsServer } from './http/metrics-server.ts';
import { useBlockSuggestions } from './http/plugins/use-block-suggestions.ts';
import { assertBodyCheckOptions, MAX_BODY_BYTES, useBodyChecks } from './http/plugins/use-body-checks.ts';
import { useClientAddress } from './http/plugins/use-client-address.ts';
import { createDenialReport, useDenialLog } from './http/plugins/use-denial-log.ts';
import { useDocumentCache } from './http/plugins/use-document-cache.ts';
import { useGraphiql } from './http/plugins/use-graphiql.ts';
import { useHealthCheck } from './http/plugins/use-health-check.ts';
import { useInputErrors } from './http/plugins/use-input-errors.ts';
import { useJwks } from './http/plugins/use-jwks.ts';
import { useLimits } from './http/plugins/use-limits.ts';
import { useMetrics } from './http/plugins/use-metrics.ts';
import { useAllPrivate, usePrivatePaths } from './http/plugins/use-private-paths.ts';
import { useRequestTarget } from './http/plugins/use-request-target.ts';
import { useRootRedirect } from './http/plugins/use-root-redirect.ts';
import { useSubscriptionLimits } from './http/plugins/use-subscription-limits.ts';
import { createYogaServer } from './http/yoga.ts';
import type { AnyYoga } from './http/yoga-internals.ts';
import { createBackgroundJobs } from './operations/background-jobs.ts';
import { createMetrics } from './operations/metrics.ts';
import { createPasswordHasher } from './passwords/hasher.ts';
import { createClearListener, REPLAYED_CLEARS_MS } from './rate-limits/apply-clears.ts';
import { createClientAddress } from './rate-limits/client-address.ts';
import { createMemoryLimits } from './rate-limits/memory-limits.ts';
import { openStore } from './storage/open-store.ts';
import type { Store } from './storage/store.ts';
import type { Authenticate } from './tokens/authenticate.ts';
import { FEED_STALE_AFTER_MS } from './tokens/revocation/session-check.ts';
import { createTokenService } from './tokens/token-service.ts';
import { assertClock } from './utils/clock.ts';
import { assertLog, consoleLog, type Log } from './utils/log.ts';

export interface BandhaOptions
  extends Partial<Config>,
    SchemaExtension,
    Pick<GuardOptions, 'defaultAccess' | 'policies' | 'reportOnly'> {
  /** A pino logger, or one with its methods. @default errors and warnings go to the console */
  log?: Log;
  /** Whether plain queries are compiled; default true. */
  compile?: boolean;
  /** Maximum length of an operation's body, in bytes, also for `plugins` in an own Yoga server. @default 100,000 */
  maxBodyBytes?: number;
  /**
   * Accepts multipart bodies, with which clients upload files, up to so many bytes. They need a header that makes a browser
   * ask first, such as `apollo-require-preflight`. @default they are rejected with 415
   */
  multipart?: { maxBodyBytes: number };
  now?: () => Date;
  /** What one operation may cost; each limit has a default. */
  operationLimits?: OperationLimits;
}

/** A server, or the parts for an own one. */
export interface Bandha {
  /** The schema with its wall: protected fields refuse by themselves. */
  schema: GraphQLSchema;
  /** Authentication, guard, limits, JWKS and health, for an own `createYoga({ schema, plugins })`. */
  plugins: Plugin[];
  /** From request headers to the caller; never rejects. */
  authenticate: Authenticate;
  /** For `http.createServer`: the fast lane, and Yoga for whatever it leaves. */
  listener: RequestListener;
  /** The Yoga server behind `listener`; `yoga.fetch` needs no network. */
  yoga: AnyYoga;
  /** What `createListener` puts before an own Yoga server. */
  serverParts: ServerParts;
  accounts: Accounts;
  store: Store;
  /** Finishes what is under way and closes the store. */
  close(): Promise<void>;
}

/**
 * Opens the store, loads the keys, and builds a server with the app's own types and resolvers on top.
 * @throws ConfigError naming every fault found; AuthError `STORE_UNAVAILABLE` where the database cannot be reached
 */
export async function createBandha(options: BandhaOptions = {}): Promise<Bandha> {
  const {
    typeDefs,
    resolvers,
    policies,
    defaultAccess: otherwise,
    reportOnly: report,
    log = consoleLog,
    ...rest
  } = options;
  const { now = () => new Date(), compile = true, operationLimits, ...others } = rest;
  const { maxBodyBytes = MAX_BODY_BYTES, multipart, ...given } = others;
  assertBodyCheckOptions({ maxBodyBytes, multipart });
  assertLog(log);
  assertClock(now);
  assertGuardOptions({ policies, defaultAccess: otherwise, reportOnly: report });
  const ofOperations = resolveOperationLimits(operationLimits);
  const config = resolveConfig({
    ...given,
    production: given.production ?? env.NODE_ENV === 'production',
  });
  const secrets = openSecrets(config);
  // Closed in the opposite order, also where a later one cannot be opened.
  const opened = new AsyncDisposableStack();
  try {
    const store = await openStore(config.databaseUrl, { ...config, log });
    opened.defer(() => store.close());
    warnAtStart(config, log);
    const tokens = await createTokenService({ store, secrets, config, log, now });
    opened.defer(() => tokens.stop());
    const { keyring, changes, verifier } = tokens;
    const metrics = createMetrics({
      revokedSessions: () => changes.revokedSessions,
      cachedTokens: () => verifier.cachedTokens,
      feedSyncedAt: store.feedSyncedAt,
    });
    const authenticate = metrics.instrumentAuthentication(tokens.authenticate);
    const passwords = await createPasswordHasher();
    opened.defer(() => passwords.close());
    const limits = createMemoryLimits({ limits: config.limits, now });
    await store.subscribe(createClearListener(limits), () => new Date(now().getTime() - REPLAYED_CLEARS_MS));
    const accounts = logAccounts(
      metrics.instrumentAccounts(
        createAccounts({
          store,
          passwords,
          limits,
          keyring,
          secrets,
          config,
          now,
          successorUse: tokens.successorUse,
          onRepeatedRefresh(outcome, sessionId) {
            metrics.countRepeatedRefresh(outcome);
            log.warn({ sessionId, outcome }, 'refresh token presented again');
          },
        }),
      ),
      { log, secrets },
    );
    if (config.admin) await seedAdmin({ store, passwords, now }, config.admin);

    const getClientInfo = createClientInfo(
      createClientAddress({ trustedProxies: config.trustedProxies, log, now }),
    );
    const built = createSchema({ accounts, getClientInfo, signup: config.signup, typeDefs, resolvers });
    const guardOptions: GuardOptions = {
      policies,
      defaultAccess: otherwise,
      reportOnly: report,
      log,
      now,
      onDenied: config.onDenied,
      // In production, callers learn of what they may use and no more.
      introspection: config.production ? 'permitted' : 'annotated',
      watchSession: tokens.watch,
    };
    const guard = createGuard(guardOptions);
    const { enforced: schema } = guard.protect(built);
    const findExceededLimit = createLimitCheck(ofOperations);
    const reportDenials = createDenialReport(log);
    const longDocuments = createLongDocumentQueue();
    const plugins = [
      useRequestTarget(),
      useBodyChecks({ maxBodyBytes, multipart }),
      useClientAddress(),
      useLongDocumentQueue(longDocuments, maxBodyBytes),
      useLimits(ofOperations, findExceededLimit),
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
        validate: createValidate(ofOperations.maxComparedFields),
      }),
    ];
    const serverParts: ServerParts = {
      plugins,
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
    const page = () => [
      useRootRedirect(),
      useGraphiql({
        authenticate,
        enforcedSchema: guard.protect(schema),
        signup: config.signup,
        showsAll: !config.production,
      }),
    ];
    const all = [...plugins, useAllPrivate(), ...(config.graphiql ? page() : [])];
    const yoga = createYogaServer({ schema, plugins: all, limits: { maxBodyBytes, multipart }, log });
    const listener = createFastPathListener(yoga, { ...serverParts, plugins: all }, { cors: CORS, compile });
    opened.defer(async () => yoga.dispose());
    const housekeeping = createBackgroundJobs({ store, secrets, config, log, now });
    opened.defer(() => housekeeping.stop());
    if (typeof config.metrics === 'number') {
      const { host, metrics: port } = config;
      opened.defer(await openMetricsServer({ registry: metrics.registry, host, port, log }));
    }
    return {
      schema,
      plugins,
      authenticate: async (headers) => authenticate(headers),
      listener,
      yoga,
      serverParts,
      accounts,
      store,
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/**
 * A listener for an own Yoga server that has `bandha.schema` and `bandha.plugins`: the fast lane, and Yoga for whatever it
 * leaves. The lane stays shut, and says so in the log, where the server has hooks that it would leave out.
 * @throws ConfigError naming each argument or option that is wrong
 */
export function createListener(yoga: AnyYoga, bandha: Bandha, options?: ListenerOptions): RequestListener {
  assertListenerArguments(yoga, bandha, options);
  return createFastPathListener(yoga, bandha.serverParts, options);
}

function assertFeedSynced(toldAt: number): void {
  if (performance.now() - toldAt > FEED_STALE_AFTER_MS) throw new Error('Changes are not heard');
}
