// Yoga's door: everything about HTTP that Bandha's own server settles.
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { useClearRefusals } from './use-clear-refusals.ts';
import { useDocumentLimits } from './use-document-limits.ts';
import { useHiddenSchema } from './use-hidden-schema.ts';
import { useResponseHeaders } from './use-response-headers.ts';

const MAX_BODY_BYTES = 100_000;

const STARTER_QUERY = `# Who am I? Null until you send a token.
{
  viewer { email }
}

# 1. Make an account:
#
# mutation {
#   register(
#     email: "you@example.com"
#     password: "something only you know"
#   ) { accessToken }
# }
#
# 2. Put its token into the Headers pane:
#
# { "Authorization": "Bearer <accessToken>" }
#
# 3. See what only you may see:
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
    plugins: [
      useClearRefusals(),
      useDocumentLimits(),
      ...plugins,
      useResponseHeaders(),
      ...(graphiql ? [useRootRedirect()] : [useHiddenSchema()]),
    ],
    maxRequestBodySize: MAX_BODY_BYTES,
    multipart: false, // nothing here takes files
    landingPage: false,
    graphiql: graphiql && { title: 'Bandha', defaultQuery: STARTER_QUERY },
    // Loaded when first asked for: it is 9 MB of text, with everything the page needs inside.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options),
    // Credentials come in a header that no browser adds by itself, so any origin may ask.
    cors: { origin: '*', credentials: false, exposedHeaders: ['WWW-Authenticate', 'Retry-After'] },
    maskedErrors: { isDev: false },
    logging: {
      debug: (...args) => log.trace({ args }, 'yoga'),
      info: (...args) => log.debug({ args }, 'yoga'),
      warn: (...args) => log.warn({ args }, 'yoga'),
      error: (...args) => logErrors(log, args),
    },
  });
}

/** Only what nobody expected is an error in the log; a refusal is an answer. */
function logErrors(log: Logger, args: readonly unknown[]): void {
  for (const err of args) log.error({ err }, 'unexpected error');
}

/** Sends a browser that opens the bare address to GraphiQL. */
function useRootRedirect(): Plugin {
  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (url.pathname !== '/' || request.method !== 'GET') return;
      endResponse(new fetchAPI.Response(null, { status: 302, headers: { Location: '/graphql' } }));
    },
  };
}
