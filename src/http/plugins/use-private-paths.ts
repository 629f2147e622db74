// Prevents pages of other sites from reading responses that are not for them.
import type { Plugin } from 'graphql-yoga';

/** Paths of Bandha for operators and for GraphiQL's page. */
const PRIVATE_PATHS = /^\/(?:health|health\/live|health\/ready|metrics|graphiql\/.*)\/?$/;
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/graphql', '/graphql/', '/.well-known/jwks.json']);

/** Removes the CORS headers that Yoga adds to every response from those of health checks, metrics and GraphiQL's files. */
export function usePrivatePaths(): Plugin {
  return withoutCors((path) => PRIVATE_PATHS.test(path));
}

/** Removes them from every response but those of the endpoint and the JWK Set. For Bandha's own server. */
export function useAllPrivate(): Plugin {
  return withoutCors((path) => !PUBLIC_PATHS.has(path));
}

function withoutCors(isPrivate: (path: string) => boolean): Plugin {
  return {
    onResponse({ request, response }) {
      if (!request.headers.has('origin') || !isPrivate(pathOfUrl(request.url))) return;
      const names = [...response.headers.keys()].filter((name) => /^access-control-/i.test(name));
      for (const name of names) response.headers.delete(name);
    },
  };
}

/** Uses no URL parser, because it throws if the URL is invalid. */
function pathOfUrl(url: string): string {
  return /^[^/?#]*\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? '';
}
