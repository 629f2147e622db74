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
import { createYogaServer } from './http/create-yoga-server.ts';
import { useClearRefusals } from './http/use-clear-refusals.ts';
import { useDocumentLimits } from './http/use-document-limits.ts';
import { useHealth } from './http/use-health.ts';
import { useHiddenNames } from './http/use-hidden-names.ts';
import { useJwks } from './http/use-jwks.ts';
import { useResponseHeaders } from './http/use-response-headers.ts';
import { useRootFieldLimit } from './http/use-root-field-limit.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import { createSchema, type SchemaExtension } from './schema/create-schema.ts';
import { loadOrMakeSecret } from './secret-file.ts';
import { openStore } from './stores/database.ts';
import type { Store } from './stores/store.ts';
import { SIGNING_ALGORITHMS } from './tokens/algorithms.ts';
import { type Authenticate, createAuthenticate } from './tokens/authenticate.ts';
import { openKeyring } from './tokens/keyring.ts';
import { createRevocationList } from './tokens/revocations.ts';
import { createSecrets } from './tokens/secrets.ts';
import { createVerifier } from './tokens/verifier.ts';

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
const SECRET_FILE = '.bandha/secret';

/**
 * Opens the store, loads the keys, and builds a server with the app's own types and resolvers on top.
 * @throws ConfigError naming every fault found
 */
export async function createBandha(options: BandhaOptions = {}): Promise<Bandha> {
  const { typeDefs, resolvers, policies, default: otherwise, report, log = SILENT, ...rest } = options;
  const { now = () => new Date(), ...given } = rest;
  const config = completeConfig(given);
  const secrets = createSecrets(config.secret ?? loadOrMakeSecret(SECRET_FILE));
  const store = await openStore(config.databaseUrl);
  try {
    const keyring = await openKeyring(store, secrets, config.algorithm, now);
    const revocations = createRevocationList(config.accessTtlSeconds, now);
    await store.followRevocations(
      ({ sessionId, revokedAt }) => revocations.add(sessionId, revokedAt),
      revocations.since(),
    );

    const verifier = createVerifier({
      ...config,
      algorithms: SIGNING_ALGORITHMS,
      keys: keyring.findKey,
      now,
    });
    const authenticate = createAuthenticate(verifier, revocations);
    const passwords = await createPasswordHasher();
    const accounts = createAccounts({
      store,
      passwords,
      loginTries: createLoginTries(now),
      keyring,
      secrets,
      config,
      now,
    });
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
      watchSession: ({ sessionId }, ended) => revocations.watch(sessionId, ended),
    };
    const { walled: schema } = protectSchema(built, guard);
    const plugins = [
      useClearRefusals(),
      useDocumentLimits(),
      useResponseHeaders(),
      useJwks(() => keyring.jwks),
      useHealth({ store: () => store.ping(), keys: () => keyring.current }),
      useAuthentication(authenticate),
      useGuard(guard),
      useRootFieldLimit(),
      useHiddenNames({ introspection: config.graphiql }),
    ];
    const yoga = createYogaServer({ schema, plugins, graphiql: config.graphiql, log });
    return {
      schema,
      plugins,
      authenticate,
      listener: yoga,
      accounts,
      store,
      async close() {
        await yoga.dispose();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
