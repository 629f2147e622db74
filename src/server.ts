// Puts the parts together.
import type { RequestListener } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type Logger, pino } from 'pino';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import { createLoginTries } from './accounts/login-tries.ts';
import { makeAdmin } from './accounts/make-admin.ts';
import { type Config, completeConfig } from './config.ts';
import { useAuthentication } from './context.ts';
import { protectSchema } from './guard/protect-schema.ts';
import { type GuardOptions, useGuard } from './guard/use-guard.ts';
import { createHousekeeping } from './housekeeping.ts';
import { createYogaServer } from './http/create-yoga-server.ts';
import { useClearRefusals } from './http/use-clear-refusals.ts';
import { useDocumentLimits } from './http/use-document-limits.ts';
import { useHealth } from './http/use-health.ts';
import { useHiddenNames } from './http/use-hidden-names.ts';
import { useJwks } from './http/use-jwks.ts';
import { useMetrics } from './http/use-metrics.ts';
import { useResponseHeaders } from './http/use-response-headers.ts';
import { useRootFieldLimit } from './http/use-root-field-limit.ts';
import { createMetrics } from './metrics.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import { createSchema, type SchemaExtension } from './schema/create-schema.ts';
import { openSecrets } from './secret-file.ts';
import { openStore } from './stores/database.ts';
import type { Store } from './stores/store.ts';
import type { Authenticate } from './tokens/authenticate.ts';
import { CHANGES_STALE_AFTER_MS } from './tokens/check-session.ts';
import { openTokens } from './tokens/open-tokens.ts';

export interface BandhaOptions
  extends Partial<Config>,
    SchemaExtension,
    Pick<GuardOptions, 'default' | 'policies' | 'report'> {
  /** Default: silent. */
  log?: Logger;
  now?: () => Date;
}

/** A server, or the parts for an own one. */
export interface Bandha {
  /** The schema with its wall: protected fields refuse by themselves. */
  schema: GraphQLSchema;
  /** Authentication, guard, limits, JWKS and health, for an own `createYoga({ schema, plugins })`. */
  plugins: Plugin[];
  /** From request headers to the caller; never rejects. */
  authenticate: Authenticate;
  /** For `http.createServer`. */
  listener: RequestListener;
  accounts: Accounts;
  store: Store;
  /** Finishes what is under way and closes the store. */
  close(): Promise<void>;
}

const SILENT = pino({ level: 'silent' });

/**
 * Opens the store, loads the keys, and builds a server with the app's own types and resolvers on top.
 * @throws ConfigError naming every fault found; AuthError `STORE_UNAVAILABLE` where the database cannot be reached
 */
export async function createBandha(options: BandhaOptions = {}): Promise<Bandha> {
  const { typeDefs, resolvers, policies, default: otherwise, report, log = SILENT, ...rest } = options;
  const { now = () => new Date(), ...given } = rest;
  const config = completeConfig(given);
  const secrets = openSecrets(config);
  // Closed in the opposite order, also where a later one cannot be opened.
  const opened = new AsyncDisposableStack();
  try {
    const store = await openStore(config.databaseUrl, { ...config, log });
    opened.defer(() => store.close());
    const tokens = await openTokens({ store, secrets, config, log, now });
    opened.defer(() => tokens.stop());
    const { keyring, changes, verifier } = tokens;
    const metrics = createMetrics({
      revokedSessions: () => changes.revokedSessions,
      cachedTokens: () => verifier.cachedTokens,
      changesKnownAt: store.changesToldAt,
    });
    const authenticate = metrics.countAuthentications(tokens.authenticate);
    const passwords = await createPasswordHasher();
    const loginTries = createLoginTries(now);
    const accounts = metrics.countAccounts(
      createAccounts({ store, passwords, loginTries, keyring, secrets, config, now }),
    );
    if (config.admin) await makeAdmin({ store, passwords, now }, config.admin);

    const built = createSchema({ accounts, signup: config.signup, typeDefs, resolvers });
    const guard: GuardOptions = {
      policies,
      default: otherwise,
      report,
      log,
      now,
      onDenied: config.onDenied,
      introspection: 'usable',
      watchSession: changes.watch,
    };
    const { walled: schema } = protectSchema(built, guard);
    const plugins = [
      useClearRefusals(),
      useDocumentLimits(),
      useResponseHeaders(),
      useMetrics(metrics),
      useJwks(() => keyring.jwks),
      useHealth({
        store: () => store.ping(),
        keys: () => keyring.current,
        revocations: () => assertHeard(store.changesToldAt()),
      }),
      useAuthentication(authenticate),
      useGuard(guard),
      useRootFieldLimit(),
      useHiddenNames({ introspection: config.graphiql }),
    ];
    const yoga = createYogaServer({ schema, plugins, graphiql: config.graphiql, log });
    opened.defer(async () => yoga.dispose());
    const housekeeping = createHousekeeping({ store, secrets, config, log, now });
    opened.defer(() => housekeeping.stop());
    return {
      schema,
      plugins,
      authenticate,
      listener: yoga,
      accounts,
      store,
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function assertHeard(toldAt: number): void {
  if (performance.now() - toldAt > CHANGES_STALE_AFTER_MS) throw new Error('Changes are not heard');
}
