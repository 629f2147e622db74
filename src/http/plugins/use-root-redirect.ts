// Sends a browser that opens the bare address to GraphiQL. Relative, since a proxy may serve it below a path.
import type { Plugin } from 'graphql-yoga';

export function useRootRedirect(): Plugin {
  return {
    onRequest({ url, request, fetchAPI, endResponse }) {
      if (url.pathname !== '/' || request.method !== 'GET') return;
      endResponse(new fetchAPI.Response(null, { status: 302, headers: { Location: 'graphql' } }));
    },
  };
}
