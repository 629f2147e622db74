// Answers 400 to requests with an unusable Host or target, and 404 to operations at other paths than the endpoint.
import type { Plugin, YogaServer } from 'graphql-yoga';
import {
  createTargetCheck,
  findNodeRequest,
  isEndpoint,
  type NodeRequest,
  pathOf,
  toOriginForm,
} from '../request-target.ts';

// biome-ignore lint/suspicious/noExplicitAny: contexts of any application
type AnyYogaServer = YogaServer<any, any>;

/**
 * Runs before every other plugin, those of Yoga itself included. Yoga takes each URL that ends with its endpoint for it, so
 * that `/admin/graphql`, which a proxy may restrict, would be `/graphql`.
 */
export function useRequestTarget(): Plugin {
  const findIssue = createTargetCheck();
  /** Yoga servers by their `fetchAPI`, by which a hook knows its server: several may share the plugin. */
  const servers = new WeakMap<object, { yoga: AnyYogaServer; pattern: URLPattern; endpoint: string }>();

  const first: Plugin = {
    onRequest({ request, setRequest, serverContext, fetchAPI, endResponse }) {
      const req = findNodeRequest(serverContext);
      const isRewritten = req !== undefined && toOriginForm(req);
      const issue = req && findIssue(req);
      // In a server without a listener of ours, the URL was built from the absolute form.
      if (isRewritten && issue === undefined) setRequest(withTarget(request, req));
      if (issue === undefined) return;
      const body = { errors: [{ message: issue, extensions: { code: 'BAD_REQUEST' } }] };
      endResponse(
        new fetchAPI.Response(JSON.stringify(body), {
          status: 400,
          headers: { 'Content-Type': 'application/json; charset=utf-8' },
        }),
      );
    },
  };

  function isServed(fetchAPI: object, url: URL, req: NodeRequest | undefined): boolean {
    const server = servers.get(fetchAPI);
    if (server === undefined) return true; // a Yoga server that has not been initialized serves nothing
    const { graphqlEndpoint } = server.yoga;
    if (server.endpoint !== graphqlEndpoint) {
      server.endpoint = graphqlEndpoint;
      server.pattern = new URLPattern({ pathname: graphqlEndpoint });
    }
    // An application that mounts the server at a path means it to be served there.
    const isMounted = req?.originalUrl !== undefined && isEndpoint(pathOf(req.url ?? ''), graphqlEndpoint);
    return (
      isMounted ||
      isEndpoint(url.pathname, graphqlEndpoint) ||
      server.pattern.test({ pathname: url.pathname })
    );
  }

  return {
    onPluginInit({ plugins }) {
      // Once for each server: after this, the hook runs again for the plugin that moved one place on.
      if (!plugins.includes(first as (typeof plugins)[number]))
        plugins.unshift(first as (typeof plugins)[number]);
    },
    onYogaInit({ yoga }) {
      yoga.fetchAPI.Request = withValidUrl(yoga.fetchAPI.Request);
      const endpoint = yoga.graphqlEndpoint;
      servers.set(yoga.fetchAPI, { yoga, endpoint, pattern: new URLPattern({ pathname: endpoint }) });
    },
    onRequestParse({ url, serverContext, fetchAPI, endResponse }) {
      if (isServed(fetchAPI, url, findNodeRequest(serverContext))) return;
      endResponse(new fetchAPI.Response('', { status: 404, statusText: 'Not Found' }));
    },
  };
}

/** The same request with the URL that Yoga builds from an origin form; its body, which may be read already, stays as it is. */
function withTarget(
  request: Request,
  { protocol = 'http', headers, originalUrl, url = '/' }: NodeRequest,
): Request {
  const target = new URL(`${protocol}://${headers.host}${originalUrl ?? url}`);
  const changed: Readonly<Record<PropertyKey, unknown>> = { url: target.href, parsedUrl: target };
  return new Proxy(request, {
    get(_, name) {
      if (Object.hasOwn(changed, name)) return changed[name];
      const value: unknown = Reflect.get(request, name, request);
      return typeof value === 'function' ? value.bind(request) : value;
    },
  });
}

/**
 * The class of requests, with a URL in the place of one that cannot be parsed. A Yoga server that listens by itself reads the URL
 * before any hook runs, and answers the error with its stack.
 */
function withValidUrl(Base: typeof Request): typeof Request {
  return class extends Base {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' && !URL.canParse(input, BASE) ? PLACEHOLDER : input, init);
    }
  };
}

const BASE = 'http://localhost'; // of relative ones, as Yoga has it
const PLACEHOLDER = `${BASE}/invalid`;
