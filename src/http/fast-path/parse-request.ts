// Recognizes requests for the fast path: a POST of one operation as JSON. Everything else goes to the Yoga handler.
import type { IncomingMessage } from 'node:http';

export interface GraphQLParams {
  query: string;
  variables: Record<string, unknown> | undefined;
  operationName: string | undefined;
  extensions?: Record<string, unknown>;
}

const CONTENT_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;
const KEYS = new Set(['query', 'variables', 'operationName', 'extensions']);
const BYTE_ORDER_MARK = 0xef;

/** Whether the fast path accepts a request, according to its head. */
export function isFastPathRequest(
  { method, url, originalUrl, headers }: IncomingMessage & { originalUrl?: string },
  endpoint: string,
  maxBytes: number,
): boolean {
  return (
    method === 'POST' &&
    (url === endpoint || originalUrl === endpoint) && // Express removes the mount path from `url`
    isJson(headers['content-type']) &&
    Number(headers['content-length']) <= maxBytes && // false without a Content-Length
    headers['content-encoding'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined
  );
}

/** Compares the usual form first, without a character set. */
function isJson(contentType = ''): boolean {
  return contentType === 'application/json' || CONTENT_TYPE.test(contentType);
}

/** @returns undefined if the body is not one operation as a JSON object; the Yoga handler then responds to the request */
export function parseBody(body: Buffer): GraphQLParams | undefined {
  if (body[0] === BYTE_ORDER_MARK) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  const { query, variables, operationName, extensions } = parsed;
  for (const key in parsed) if (!KEYS.has(key) && parsed[key] != null) return undefined;
  if (typeof query !== 'string' || query === '') return undefined;
  if (variables != null && !isObject(variables)) return undefined;
  if (operationName != null && (typeof operationName !== 'string' || operationName === '')) return undefined;
  if (extensions != null && !isObject(extensions)) return undefined;
  const params = { query, variables: variables ?? undefined, operationName: operationName ?? undefined };
  return extensions == null ? params : { ...params, extensions };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
