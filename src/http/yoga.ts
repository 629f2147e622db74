// Creates the Yoga server behind Bandha's own listener.
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Log } from '../utils/log.ts';
import { CORS } from './headers.ts';
import type { BodyCheckOptions } from './plugins/use-body-checks.ts';

/** A path that no URL ends with, because URLs contain no spaces. */
const NO_PATH = ' ';

export interface YogaServerOptions {
  schema: GraphQLSchema;
  plugins: readonly Plugin[];
  limits: BodyCheckOptions;
  log: Log;
}

export function createYogaServer({ schema, plugins, limits, log }: YogaServerOptions) {
  return createYoga({
    schema,
    plugins: [...plugins],
    maxRequestBodySize: Math.max(limits.maxBodyBytes, limits.multipart?.maxBodyBytes ?? 0),
    multipart: limits.multipart !== undefined,
    // Yoga's check responds to every URL that ends with its path, the query included. `useHealthCheck` replaces it.
    healthCheckEndpoint: NO_PATH,
    landingPage: false,
    graphiql: false, // replaced by `useGraphiql`
    cors: CORS,
    maskedErrors: { isDev: false },
    logging: {
      debug: (...args) => log.trace?.({ args }, 'yoga'),
      info: (...args) => log.debug({ args }, 'yoga'),
      warn: (...args) => log.warn({ args }, 'yoga'),
      error: (...args) => logErrors(log, args),
    },
  });
}

/** Yoga logs the errors that it masks. Errors for the client, such as denials, never get here. */
function logErrors(log: Log, args: readonly unknown[]): void {
  for (const err of args) log.error({ err }, 'unexpected error');
}
