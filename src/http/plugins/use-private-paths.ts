// Keeps what is not for other sites from being read by their pages.
import type { Plugin } from 'graphql-yoga';

/** The paths of Bandha that are for operators, and for GraphiQL's own page. */
const PRIVATE_PATHS = /^\/(?:health|health\/live|health\/ready|metrics|graphiql\/.*)\/?$/;
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/graphql', '/graphql/', '/.well-known/jwks.json']);

/** Removes the CORS headers that Yoga adds to every response from those of health, metrics and GraphiQL's files. */
export function usePrivatePaths(): Plugin {
  return withoutCors((path) => PRIVATE_PATHS.test(path));
}

/** The same for Bandha's own server, where all but the endpoint and the JWK Set is private. */
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

/** Without a parser, which an invalid URL would make throw. */
function pathOfUrl(url: string): string {
  return /^[^/?#]*\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? '';
}
