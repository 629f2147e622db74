// Headers that answers carry.
import type { Plugin } from 'graphql-yoga';

/** Answers may hold tokens or somebody's data: nobody in between keeps them (RFC 6749, section 5.1). */
export const RESPONSE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Credentials come in a header that no browser adds by itself, so any origin may ask. */
export const CORS = {
  origin: '*',
  credentials: false,
  exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
};

/** What GraphiQL's page may do: run and ask what this server gives, and nothing else. */
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

/** Of GraphiQL's page, which is asked for anew each time, and names its files by what is in them. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer', // the address may hold a query
  'x-content-type-options': 'nosniff',
};

/** Of the page's files, whose names change with what is in them. Workers go by the policy of their own file. */
export const ASSET_HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  vary: 'accept-encoding',
  'x-content-type-options': 'nosniff',
};

// Puts the headers that every answer carries on those that lack them.

export function useResponseHeaders(): Plugin {
  return {
    onResponse({ response }) {
      for (const [name, value] of Object.entries(RESPONSE_HEADERS)) {
        if (!response.headers.has(name)) response.headers.set(name, value);
      }
    },
  };
}
