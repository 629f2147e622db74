// Headers that every GraphQL answer carries.
import type { Plugin } from 'graphql-yoga';

/** Answers may hold tokens or somebody's data: nobody in between keeps them (RFC 6749, section 5.1). */
export function useResponseHeaders(): Plugin {
  return {
    onResponse({ response }) {
      if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
      response.headers.set('x-content-type-options', 'nosniff');
    },
  };
}
