// Builds a server from its parts: store, tokens, accounts, schema, guard, Yoga server and fast path.
import type { RequestListener } from 'node:http';
import { env } from 'node:process';
import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import { seedAdmin } from './accounts/administration.ts';
import type { AccountDeps } from './accounts/deps.ts';
import { logAccounts } from './accounts/log-accounts.ts';
import { createGuard } from './authorization/guard.ts';
import type { GuardOptions } from './authorization/guard-options.ts';
import { assertGuardOptions } from './authorization/guard-options.ts';
import type { Policy } from './authorization/policies.ts';
import type { WatchSession } from './authorization/subscriptions.ts';
import { type Config, resolveConfig } from './config/config.ts';
import { openSecrets } from './config/secret-file.ts';
import { warnAtStart } from './config/startup-warnings.ts';
import { createSchema, type SchemaExtension } from './graphql/create-schema.ts';
import { createClientInfo } from './graphql/resolvers.ts';
import { createFastPathListener, type ListenerOptions, type ServerParts } from './http/fast-path/listener.ts';
import { CORS } from './http/headers.ts';
import {
  type OperationLimits,
  type ResolvedLimits,
  resolveOperationLimits,
} from './http/limits/operation-limits.ts';
import { assertListenerArguments } from './http/listener-options.ts';
import { openMetricsServer } from './http/metrics-server.ts';
import {
  assertBodyCheckOptions,
  type BodyCheckOptions,
  MAX_BODY_BYTES,
} from './http/plugins/use-body-checks.ts';
import { createOwnServerPlugins, createServerParts } from './http/server-parts.ts';
import { createYogaServer } from './http/yoga.ts';
import type { AnyYoga } from './http/yoga-internals.ts';
import { createBackgroundJobs } from './operations/background-jobs.ts';
import { createMetrics, type Metrics } from './operations/metrics.ts';
import { createPasswordHasher } from './passwords/hasher.ts';
import { createClearListener, REPLAYED_CLEARS_MS } from './rate-limits/apply-clears.ts';
import { createClientAddress } from './rate-limits/client-address.ts';
import { createMemoryLimits } from './rate-limits/memory-limits.ts';
import { openStore } from './storage/open-store.ts';
import type { Store } from './storage/store.ts';
import type { Authenticate, AuthenticateMaybeAsync } from './tokens/authenticate.ts';
import type { Keyring } from './tokens/keys/keyring.ts';
import type { Secrets } from './tokens/secrets.ts';
import { createTokenService } from './tokens/token-service.ts';
import { assertClock } from './utils/clock.ts';
import { parseAll } from './utils/collect-issues.ts';
import { assertLog, consoleLog, type Log } from './utils/log.ts';

/**
 * Options of {@link createBandha}: those of {@link Config} that concern the library, and the application's own parts. Durations
 * are in seconds. An unknown option is an error.
 */
export interface BandhaOptions
  extends Partial<Omit<Config, 'port' | 'logLevel' | 'keepAliveSeconds'>>,
    SchemaExtension {
  /** Access to fields without a directive. `deny`: they require a signed-in caller unless they are `@public`. @default 'allow' */
  defaultAccess?: 'allow' | 'deny';
  /** The policies that `@auth(policies:)` and `@policy` name. @default {} */
  policies?: Readonly<Record<string, Policy>>;
  /** Logs what would be denied and allows it, to try out rules in production. @default false */
  reportOnly?: boolean;
  /** A pino logger, or one with its methods. @default errors and warnings go to the console */
  log?: Log;
  /** The clock. @default the system's */
  now?: () => Date;
  /** Limits of a single operation. @default those of {@link OperationLimits} */
  operationLimits?: OperationLimits;
  /** Maximum length of an operation's body in bytes, also if `plugins` are used in another Yoga server. @default 100_000 */
  maxBodyBytes?: number;
  /**
   * Accepts multipart bodies, with which clients upload files, up to this many bytes. They need a header that makes a browser
   * send a preflight request, such as `apollo-require-preflight`.
   * @default they are rejected with 415
   */
  multipart?: { maxBodyBytes: number };
  /** Whether the fast path compiles queries. @default true */
  compile?: boolean;
}

/** A server; or its parts, for a Yoga server of your own. */
export interface Bandha {
  /** The enforced schema: its protected fields check access in their resolvers, however they are executed. */
  schema: GraphQLSchema;
  /** Authentication, guard, limits, JWK Set and health checks, for `createYoga({ schema, plugins })`. */
  plugins: Plugin[];
  /** Finds the caller of a request from its headers. Never rejects. */
  authenticate: Authenticate;
  /** For `http.createServer`: the fast path, and the Yoga handler for everything else. */
  listener: RequestListener;
  /** The Yoga server behind `listener`. `yoga.fetch` needs no network, for example in tests. */
  yoga: AnyYoga;
  /** Registration, sign-in and sessions, without GraphQL. */
  accounts: Accounts;
  /** The database. */
  store: Store;
  /** Waits for what is in flight, stops background jobs and closes the store. */
  close(): Promise<void>;
}

/** The parts that `createListener` needs. They are not on `Bandha`, because each of its members is public and must stay compatible. */
const serverPartsByBandha = new WeakMap<object, ServerParts>();

/** @returns undefined unless `createBandha` returned this very object */
export function findServerParts(bandha: unknown): ServerParts | undefined {
  return typeof bandha === 'object' && bandha !== null ? serverPartsByBandha.get(bandha) : undefined;
}

/**
 * Opens the store, loads the signing keys, and builds a server from Bandha's schema and the application's.
 *
 * @throws {@link ConfigError} naming every issue in the options and the schema
 * @throws {@link AuthError} `STORE_UNAVAILABLE` if the database cannot be reached
 * @example
 * const bandha = await createBandha({
 *   ...loadConfig(process.env),
 *   typeDefs: 'extend type Query { orders: [String!] @auth(roles: ["admin"]) }',
 *   resolvers: { Query: { orders: () => ['A-1', 'A-2'] } },
 * });
 * createServer(bandha.listener).listen(4000);
 */
export async function createBandha(options: BandhaOptions = {}): Promise<Bandha> {
  const settings = parseOptions(options);
  const { config, bodyLimits, compile, log, now } = settings;
  const secrets = openSecrets(config);
  // Closed in reverse order, even if one of the later ones cannot be opened.
  const resources = new AsyncDisposableStack();
  try {
    const services = await openServices(settings, secrets, resources);
    const { store, accounts, authenticate, metrics } = services;
    const findAddress = createClientAddress({ trustedProxies: config.trustedProxies, log, now });
    const original = createSchema({
      ...settings.extension,
      accounts,
      signup: config.signup,
      getClientInfo: createClientInfo(findAddress),
    });
    const guard = createGuard(toGuardOptions(settings, services.watchSession));
    const { enforced: schema } = guard.protect(original);
    const parts = createServerParts({ ...settings, ...services, guard });
    const plugins = [...parts.plugins];
    const all = [...plugins, ...createOwnServerPlugins(config, authenticate, guard.protect(schema))];
    const yoga = createYogaServer({ schema, plugins: all, limits: bodyLimits, log });
    const listener = createFastPathListener(yoga, { ...parts, plugins: all }, { cors: CORS, compile });
    resources.defer(async () => yoga.dispose());
    const jobs = createBackgroundJobs({ store, secrets, config, log, now });
    resources.defer(() => jobs.stop());
    if (typeof config.metrics === 'number') {
      const { host, metrics: port } = config;
      resources.defer(await openMetricsServer({ registry: metrics.registry, host, port, log }));
    }
    const bandha: Bandha = {
      schema,
      plugins,
      authenticate: async (headers) => authenticate(headers),
      listener,
      yoga,
      accounts,
      store,
      close: () => resources.disposeAsync(),
    };
    serverPartsByBandha.set(bandha, parts);
    return bandha;
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

/**
 * Creates a listener for a Yoga server of your own that has `bandha.schema` and `bandha.plugins`: the fast path, and the Yoga
 * handler for everything else. The fast path is not used, and a log entry names the reason, if the server has hooks that it
 * would skip.
 *
 * @throws {@link ConfigError} naming each argument or option that is wrong
 * @example
 * const yoga = createYoga({ schema: bandha.schema, plugins: bandha.plugins });
 * createServer(createListener(yoga, bandha)).listen(4000);
 */
export function createListener(yoga: AnyYoga, bandha: Bandha, options?: ListenerOptions): RequestListener {
  const parts = findServerParts(bandha);
  assertListenerArguments(yoga, parts, options);
  return createFastPathListener(yoga, parts, options);
}

/** The options, checked and with their defaults. */
interface Settings {
  config: Config;
  extension: SchemaExtension;
  access: Pick<GuardOptions, 'policies' | 'defaultAccess' | 'reportOnly'>;
  operationLimits: ResolvedLimits;
  bodyLimits: BodyCheckOptions;
  compile: boolean;
  log: Log;
  now: () => Date;
}

/** @throws ConfigError naming every issue of all options */
function parseOptions(options: BandhaOptions): Settings {
  const { typeDefs, resolvers, policies, defaultAccess, reportOnly, ...others } = options;
  const { operationLimits, maxBodyBytes = MAX_BODY_BYTES, multipart, compile = true, ...rest } = others;
  const { log = consoleLog, now = () => new Date(), ...config } = rest;
  const bodyLimits = { maxBodyBytes, multipart };
  const access = { policies, defaultAccess, reportOnly };
  const parsed = parseAll({
    bodyLimits: () => assertBodyCheckOptions(bodyLimits),
    log: () => assertLog(log),
    now: () => assertClock(now),
    access: () => assertGuardOptions(access),
    operationLimits: () => resolveOperationLimits(operationLimits),
    config: () =>
      resolveConfig({ ...config, production: config.production ?? env.NODE_ENV === 'production' }),
  });
  return {
    operationLimits: parsed.operationLimits,
    config: parsed.config,
    extension: { typeDefs, resolvers },
    access,
    bodyLimits,
    compile,
    log,
    now,
  };
}

/** The parts below GraphQL and HTTP. */
interface Services {
  store: Store;
  keyring: Keyring;
  metrics: Metrics;
  authenticate: AuthenticateMaybeAsync;
  watchSession: WatchSession;
  accounts: Accounts;
}

/** Opens the store, starts the token service, and creates the administrator if one is configured. */
async function openServices(
  { config, log, now }: Settings,
  secrets: Secrets,
  resources: AsyncDisposableStack,
): Promise<Services> {
  const store = await openStore(config.databaseUrl, { ...config, log });
  resources.defer(() => store.close());
  warnAtStart(config, log);
  const tokens = await createTokenService({ store, secrets, config, log, now });
  resources.defer(() => tokens.stop());
  const { keyring, revocations, verifier, successorUse } = tokens;
  const metrics = createMetrics({
    revokedSessions: () => revocations.revokedSessions,
    cachedTokens: () => verifier.cachedTokens,
    feedSyncedAt: store.feedSyncedAt,
  });
  const passwords = await createPasswordHasher();
  resources.defer(() => passwords.close());
  const limits = createMemoryLimits({ limits: config.limits, now });
  await store.subscribe(createClearListener(limits), () => new Date(now().getTime() - REPLAYED_CLEARS_MS));
  const onRepeatedRefresh: AccountDeps['onRepeatedRefresh'] = (outcome, sessionId) => {
    metrics.countRepeatedRefresh(outcome);
    log.warn({ sessionId, outcome }, 'refresh token presented again');
  };
  const deps = { store, passwords, limits, keyring, secrets, config, now, successorUse, onRepeatedRefresh };
  const accounts = logAccounts(metrics.instrumentAccounts(createAccounts(deps)), { log, secrets });
  if (config.admin) await seedAdmin(deps, config.admin);
  return {
    store,
    keyring,
    metrics,
    authenticate: metrics.instrumentAuthentication(tokens.authenticate),
    watchSession: tokens.watch,
    accounts,
  };
}

function toGuardOptions({ config, access, log, now }: Settings, watchSession: WatchSession): GuardOptions {
  return {
    ...access,
    log,
    now,
    onDenied: config.onDenied,
    // In production, callers see only what they may use.
    introspection: config.production ? 'permitted' : 'annotated',
    watchSession,
  };
}
