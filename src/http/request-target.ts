// Checks the Host and the target of a request before anything builds a URL from them.
import type { IncomingHttpHeaders } from 'node:http';

/** A request as Node, Express and other frameworks describe it. */
export interface NodeRequest {
  method?: string | undefined;
  /** Without the path at which Express mounts the handler. */
  url?: string | undefined;
  /** Express's, with that path. */
  originalUrl?: string | undefined;
  /** Express's, from `X-Forwarded-Proto` if its proxy is trusted. */
  protocol?: string | undefined;
  headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
  /** Parsed by a body parser that ran before. */
  body?: unknown;
}

const BAD_HOST = 'The Host header must be one host name or address, with or without a port.';
const BAD_TARGET =
  'The request target must be an absolute path with valid percent-encoding, such as /graphql.';
const HOST = 'host';

/** The request behind Yoga's server context, if Node or a framework on it serves; Fastify wraps it as `raw`. */
export function findNodeRequest(serverContext: object): NodeRequest | undefined {
  const { req } = serverContext as { req?: Partial<NodeRequest> & { raw?: Partial<NodeRequest> } }; // whatever was passed
  const candidate = req?.raw ?? req;
  return Array.isArray(candidate?.rawHeaders) && candidate.headers ? (candidate as NodeRequest) : undefined;
}

/** A header as it arrived: Yoga changes those of Node's request when a middleware has parsed the body. */
export function findRawHeader({ rawHeaders }: NodeRequest, name: string): string | undefined {
  const index = rawHeaders.findIndex((one, i) => i % 2 === 0 && one.toLowerCase() === name);
  return index === -1 ? undefined : rawHeaders[index + 1];
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/is;

/**
 * Rewrites a target in absolute form, as for a proxy, which every server must accept: its authority takes the place of the Host
 * (RFC 9112, section 3.2.2). A target in any other form stays as it is.
 * @returns whether the request has changed
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

/** Finds what is wrong with the Host and the target of a request. */
export type FindTargetIssue = (request: NodeRequest) => string | undefined;

/**
 * Creates the check. Without it, Yoga fails to build a URL, and sends the stack of that error to the caller.
 *
 * @returns a function that gives the issue, or undefined; it compares the Host with the last valid one before it parses it
 */
export function createTargetCheck(): FindTargetIssue {
  let lastValidHost = '';
  return ({ method, url = '', originalUrl, protocol = 'http', headers, rawHeaders }) => {
    const host = headers[':authority']?.toString() ?? headers.host ?? '';
    if (host !== lastValidHost) {
      if (!isValidHost(host)) return BAD_HOST;
      lastValidHost = host;
    }
    // Node keeps the first of several, others the last: the two could mean different sites (RFC 9112, section 3.2).
    if (hasSeveralHosts(rawHeaders)) return BAD_HOST;
    if (protocol !== 'http' && protocol !== 'https') return 'The forwarded protocol must be http or https.';
    if (url === '*' && method === 'OPTIONS') return undefined;
    return isValidTarget(originalUrl ?? url) ? undefined : BAD_TARGET;
  };
}

/** A Host without userinfo (RFC 9110, section 7.2); an empty one is valid. */
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

/** The origin form alone (RFC 9112, section 3.2.1); `//` in front would make the next segment a host. */
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

/** The path of a request target or an absolute URL path, without its query. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** Whether a path is that of the endpoint, with or without a slash behind it. */
export function isEndpoint(path: string, endpoint: string): boolean {
  return path === endpoint || path === `${endpoint}/`;
}
