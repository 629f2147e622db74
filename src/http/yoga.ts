// Yoga's door: everything about HTTP that Bandha's own server settles.
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Log } from '../utils/log.ts';
import { CORS } from './headers.ts';
import type { BodyCheckOptions } from './plugins/use-body-checks.ts';

/** No URL ends with a space. */
const NEVER = ' ';

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
    // Yoga would answer every URL that ends with it, a query included; `useHealth` answers that path itself.
    healthCheckEndpoint: NEVER,
    landingPage: false,
    graphiql: false, // Bandha has a page of its own
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

/** Only what nobody expected is an error in the log; a refusal is an answer. */
function logErrors(log: Log, args: readonly unknown[]): void {
  for (const err of args) log.error({ err }, 'unexpected error');
}
