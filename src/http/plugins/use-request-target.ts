// Rejects requests with an invalid Host or target with 400, and operations at other paths than the endpoint with 404.
import type { Plugin } from 'graphql-yoga';
import { JSON_CONTENT_TYPE } from '../headers.ts';
import {
  createTargetCheck,
  findNodeRequest,
  isEndpoint,
  type NodeRequest,
  pathOf,
  toOriginForm,
} from '../request-target.ts';
import { toErrorBody } from '../responses.ts';
import { acceptInvalidUrls, prependPlugin, withUrl } from '../yoga-internals.ts';

interface ServedEndpoint {
  yoga: { readonly graphqlEndpoint: string };
  /** The endpoint that `pattern` was created for: an application may change it. */
  endpoint: string;
  pattern: URLPattern;
}

/**
 * Checks the target before every other plugin runs, those of Yoga itself included. Yoga serves operations at each path that
 * ends with its endpoint: a proxy may restrict `/admin/graphql`, which Yoga would serve like `/graphql`.
 */
export function useRequestTarget(): Plugin {
  const findTargetIssue = createTargetCheck();
  /** Keyed by `fetchAPI`, by which a hook identifies its server: several servers may share the plugin. */
  const servers = new WeakMap<object, ServedEndpoint>();

  const targetPlugin: Plugin = {
    onRequest({ request, setRequest, serverContext, fetchAPI, endResponse }) {
      const req = findNodeRequest(serverContext);
      const isRewritten = req !== undefined && toOriginForm(req);
      const issue = req && findTargetIssue(req);
      // Without Bandha's listener, Yoga has built the URL from the absolute form.
      if (isRewritten && issue === undefined) setRequest(withUrl(request, toUrl(req)));
      if (issue === undefined) return;
      endResponse(
        new fetchAPI.Response(toErrorBody('BAD_REQUEST', issue), {
          status: 400,
          headers: { 'Content-Type': JSON_CONTENT_TYPE },
        }),
      );
    },
  };

  function isServed(fetchAPI: object, url: URL, req: NodeRequest | undefined): boolean {
    const server = servers.get(fetchAPI);
    if (server === undefined) return true; // a Yoga server that is not initialized serves nothing
    const { graphqlEndpoint } = server.yoga;
    if (server.endpoint !== graphqlEndpoint) {
      server.endpoint = graphqlEndpoint;
      server.pattern = new URLPattern({ pathname: graphqlEndpoint });
    }
    // An application that mounts the server at a path serves it there.
    const isMounted = req?.originalUrl !== undefined && isEndpoint(pathOf(req.url ?? ''), graphqlEndpoint);
    return (
      isMounted ||
      isEndpoint(url.pathname, graphqlEndpoint) ||
      server.pattern.test({ pathname: url.pathname })
    );
  }

  return {
    onPluginInit({ plugins }) {
      prependPlugin(plugins, targetPlugin);
    },
    onYogaInit({ yoga }) {
      acceptInvalidUrls(yoga.fetchAPI);
      const endpoint = yoga.graphqlEndpoint;
      servers.set(yoga.fetchAPI, { yoga, endpoint, pattern: new URLPattern({ pathname: endpoint }) });
    },
    onRequestParse({ url, serverContext, fetchAPI, endResponse }) {
      if (isServed(fetchAPI, url, findNodeRequest(serverContext))) return;
      endResponse(new fetchAPI.Response('', { status: 404, statusText: 'Not Found' }));
    },
  };
}

/** The URL that Yoga builds from a target in origin form. */
function toUrl({ protocol = 'http', headers, originalUrl, url = '/' }: NodeRequest): URL {
  return new URL(`${protocol}://${headers.host}${originalUrl ?? url}`);
}
