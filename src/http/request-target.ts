// Validates the Host header and the target of a request before anything builds a URL from them.
import type { IncomingHttpHeaders } from 'node:http';

/** A request of Node, with the properties that Express and other frameworks add. */
export interface NodeRequest {
  method?: string | undefined;
  /** Target of the request. Express removes the path at which it mounts the handler. */
  url?: string | undefined;
  /** Added by Express: the target with that path. */
  originalUrl?: string | undefined;
  /** Added by Express: `https` or `http`, from `X-Forwarded-Proto` if Express trusts the proxy. */
  protocol?: string | undefined;
  headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
  /** Added by a body parser that ran before: the parsed body. */
  body?: unknown;
}

const BAD_HOST = 'The Host header must be one host name or address, with or without a port.';
const BAD_TARGET =
  'The request target must be an absolute path with valid percent-encoding, such as /graphql.';
const HOST = 'host';

/** Finds the Node request in Yoga's server context; undefined on other runtimes. Fastify wraps it as `raw`. */
export function findNodeRequest(serverContext: object): NodeRequest | undefined {
  const { req } = serverContext as { req?: Partial<NodeRequest> & { raw?: Partial<NodeRequest> } }; // applications may pass anything
  const candidate = req?.raw ?? req;
  return Array.isArray(candidate?.rawHeaders) && candidate.headers ? (candidate as NodeRequest) : undefined;
}

/** Finds a header as it arrived: Yoga changes the headers of Node's request if a middleware has parsed the body. */
export function findRawHeader({ rawHeaders }: NodeRequest, name: string): string | undefined {
  const index = rawHeaders.findIndex((entry, i) => i % 2 === 0 && entry.toLowerCase() === name);
  return index === -1 ? undefined : rawHeaders[index + 1];
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/is;

/**
 * Rewrites a target in absolute form, such as `http://host/graphql`, to origin form. Servers MUST accept the absolute form and
 * replace the Host header by its authority (RFC 9112, section 3.2.2). Targets in any other form stay unchanged.
 * @returns whether the request was changed
 */
export function toOriginForm(request: NodeRequest): boolean {
  let isChanged = false;
  for (const key of ['url', 'originalUrl'] as const) {
    const target = request[key];
    if (target === undefined || target.startsWith('/')) continue;
    const [, authority, path = ''] = ABSOLUTE_FORM.exec(target) ?? [];
    if (authority === undefined) continue;
    request.headers.host = authority;
    request[key] = path.startsWith('/') ? path : `/${path}`;
    isChanged = true;
  }
  return isChanged;
}

/** @returns a message for the client if the Host header or the target of a request is invalid */
export type FindTargetIssue = (request: NodeRequest) => string | undefined;

/**
 * Creates the check. Without it, Yoga would throw when it builds a URL, and would send the stack of that error to the client.
 * Caches the last valid Host, so that most requests need no parsing.
 */
export function createTargetCheck(): FindTargetIssue {
  let lastValidHost = '';
  return ({ method, url = '', originalUrl, protocol = 'http', headers, rawHeaders }) => {
    const host = headers[':authority']?.toString() ?? headers.host ?? '';
    if (host !== lastValidHost) {
      if (!isValidHost(host)) return BAD_HOST;
      lastValidHost = host;
    }
    // Node uses the first of several Host headers, proxies may use the last, so both could mean different sites (RFC 9112, section 3.2).
    if (hasSeveralHosts(rawHeaders)) return BAD_HOST;
    if (protocol !== 'http' && protocol !== 'https') return 'The forwarded protocol must be http or https.';
    if (url === '*' && method === 'OPTIONS') return undefined;
    return isValidTarget(originalUrl ?? url) ? undefined : BAD_TARGET;
  };
}

/** Accepts a host with or without a port, but without userinfo (RFC 9110, section 7.2). An empty Host is valid. */
function isValidHost(host: string): boolean {
  return host === '' || (!/[\s/?#@\\,]/.test(host) && URL.canParse(`http://${host}/`));
}

function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === HOST.length && name.toLowerCase() === HOST) count += 1;
  }
  return count > 1;
}

/** Accepts the origin form only (RFC 9112, section 3.2.1). After a leading `//`, URL parsers read the next segment as a host. */
function isValidTarget(target: string): boolean {
  if (!target.startsWith('/') || target.startsWith('//')) return false;
  const path = pathOf(target);
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** The path of a request target, without the query. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** Whether a path is the endpoint, with or without a trailing slash. */
export function isEndpoint(path: string, endpoint: string): boolean {
  return path === endpoint || path === `${endpoint}/`;
}
