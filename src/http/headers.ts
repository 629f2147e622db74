// Defines the headers of HTTP responses, and the plugin that adds the common ones.
import type { Plugin } from 'graphql-yoga';

/** Headers of every response. Responses may contain tokens or personal data, so no cache may store them (RFC 6749, section 5.1). */
export const RESPONSE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Any origin may send requests, because credentials come in a header that browsers never add by themselves. */
export const CORS = {
  origin: '*',
  credentials: false,
  exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
};

export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/** Restricts GraphiQL's page to scripts, styles and requests of its own origin. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'", // the editor writes style elements
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of GraphiQL's page. Browsers revalidate it each time, because it names the files of the latest build. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer', // the address may contain a query
  'x-content-type-options': 'nosniff',
};

/** Headers of the page's files, whose names contain a hash of their content. A worker obeys the policy of its own file. */
export const ASSET_HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  vary: 'accept-encoding',
  'x-content-type-options': 'nosniff',
};

/** Finds the headers of `RESPONSE_HEADERS` that a response does not have yet: it may set a value of its own. */
export function findMissingHeaders(hasHeader: (name: string) => boolean): [name: string, value: string][] {
  return Object.entries(RESPONSE_HEADERS).filter(([name]) => !hasHeader(name));
}

/** Adds `RESPONSE_HEADERS` to every response that does not set them itself. */
export function useResponseHeaders(): Plugin {
  return {
    onResponse({ response: { headers } }) {
      for (const [name, value] of findMissingHeaders((name) => headers.has(name))) headers.set(name, value);
    },
  };
}
