// Redirects `/` to GraphiQL.
import type { Plugin } from 'graphql-yoga';

/** Redirects `GET /` to `graphql`. The location is relative, because a proxy may serve the server below a path. */
export function useRootRedirect(): Plugin {
  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (url.pathname !== '/' || request.method !== 'GET') return;
      endResponse(new fetchAPI.Response(null, { status: 302, headers: { Location: 'graphql' } }));
    },
  };
}
