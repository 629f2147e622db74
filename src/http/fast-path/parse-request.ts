// What the lane takes: a POST of one JSON operation, as every client sends it. All else is for the other door.
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

/** Whether the head of a request is one that the lane takes. */
export function isFastPathRequest(
  { method, url, originalUrl, headers }: IncomingMessage & { originalUrl?: string },
  endpoint: string,
  maxBytes: number,
): boolean {
  return (
    method === 'POST' &&
    (url === endpoint || originalUrl === endpoint) && // Express takes the path of a mount out of `url`
    isJson(headers['content-type']) &&
    Number(headers['content-length']) <= maxBytes && // which it is not where there is none
    headers['content-encoding'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined
  );
}

/** As clients write it, most of them without a character set. */
function isJson(contentType = ''): boolean {
  return contentType === 'application/json' || CONTENT_TYPE.test(contentType);
}

/** @returns undefined where the body is anything but one operation in the usual form */
export function parseBody(body: Buffer): GraphQLParams | undefined {
  if (body[0] === BYTE_ORDER_MARK) return undefined;
  let params: unknown;
  try {
    params = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(params)) return undefined;
  const { query, variables, operationName, extensions } = params;
  for (const key in params) if (!KEYS.has(key) && params[key] != null) return undefined;
  if (typeof query !== 'string' || query === '') return undefined;
  if (variables != null && !isObject(variables)) return undefined;
  if (operationName != null && (typeof operationName !== 'string' || operationName === '')) return undefined;
  if (extensions != null && !isObject(extensions)) return undefined;
  const read = { query, variables: variables ?? undefined, operationName: operationName ?? undefined };
  return extensions == null ? read : { ...read, extensions };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
