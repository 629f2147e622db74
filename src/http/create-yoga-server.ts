// Yoga's door: everything about HTTP that Bandha's own server settles.
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { CORS } from './response-headers.ts';

const MAX_BODY_BYTES = 100_000;

const WHO_AM_I = `# Who am I? Null until you send a token.
{
  viewer { email }
}
`;
const REGISTER = `
# 1. Make an account:
#
# mutation {
#   register(
#     email: "ada@example.com"
#     password: "a phrase of your own"
#   ) { accessToken }
# }
`;
const LOG_IN = `
# 1. Sign in:
#
# mutation {
#   login(
#     email: "ada@example.com"
#     password: "a phrase of your own"
#   ) { accessToken }
# }
`;
const SEE_SECURE_DATA = `
# 2. Put its token into the Headers pane:
#
# { "Authorization": "Bearer <accessToken>" }
#
# 3. Press Re-fetch at the bottom left: the
#    documentation shows what you may use.
#
# 4. See what only you may see:
#
# { secureData { message user { email } } }
`;

export interface YogaServerOptions {
  schema: GraphQLSchema;
  plugins: readonly Plugin[];
  /** GraphiQL and introspection. */
  graphiql: boolean;
  log: Logger;
}

export function createYogaServer({ schema, plugins, graphiql, log }: YogaServerOptions) {
  return createYoga({
    schema,
    plugins: [...plugins],
    maxRequestBodySize: MAX_BODY_BYTES,
    multipart: false, // nothing here takes files
    landingPage: false,
    graphiql: graphiql && {
      title: 'Bandha',
      defaultQuery: WHO_AM_I + (canRegister(schema) ? REGISTER : LOG_IN) + SEE_SECURE_DATA,
    },
    // Loaded when first asked for: it is 9 MB of text, with everything the page needs inside.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options),
    cors: CORS,
    maskedErrors: { isDev: false },
    logging: {
      debug: (...args) => log.trace({ args }, 'yoga'),
      info: (...args) => log.debug({ args }, 'yoga'),
      warn: (...args) => log.warn({ args }, 'yoga'),
      error: (...args) => logErrors(log, args),
    },
  });
}

function canRegister(schema: GraphQLSchema): boolean {
  return schema.getMutationType()?.getFields().register !== undefined;
}

/** Only what nobody expected is an error in the log; a refusal is an answer. */
function logErrors(log: Logger, args: readonly unknown[]): void {
  for (const err of args) log.error({ err }, 'unexpected error');
}
