// Sends a result with the status, headers and body that Yoga would send.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { findMissingHeaders, RESPONSE_HEADERS } from '../headers.ts';
import { type CorsOptions, getCorsHeaders, toYogaResponse } from '../yoga-internals.ts';

const JSON_TYPE = 'application/json';
const GRAPHQL_TYPE = 'application/graphql-response+json';

/** Media type of the response by `Accept` header, for the values that common clients send. The Yoga handler negotiates all others. */
const ACCEPTED_TYPES: ReadonlyMap<string, string> = new Map([
  ['', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/json', JSON_TYPE],
  ['application/json, */*', JSON_TYPE],
  ['application/json, text/plain, */*', JSON_TYPE],
  ['application/json, multipart/mixed', JSON_TYPE],
  ['application/graphql-response+json', GRAPHQL_TYPE],
  ['application/graphql-response+json, application/json', GRAPHQL_TYPE],
  ['application/graphql-response+json,application/json;q=0.9', GRAPHQL_TYPE],
  ['application/graphql-response+json, application/json;q=0.9', GRAPHQL_TYPE],
  [
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    GRAPHQL_TYPE,
  ],
]);

/** @returns undefined if the Yoga handler has to negotiate */
export function negotiateMediaType(accept: string | undefined): string | undefined {
  return ACCEPTED_TYPES.get(accept ?? '');
}

/** Names and values alternate. `writeHead` accepts this form without creating an object. */
type RawHeaders = readonly string[];

interface RawResponse {
  status: number;
  headers: RawHeaders;
  /** Headers that follow the CORS headers. */
  lastHeaders: RawHeaders;
  body: string;
}

const NO_HEADERS: RawHeaders = [];
const LAST_HEADERS: RawHeaders = Object.entries(RESPONSE_HEADERS).flat();
const CONTENT_TYPE_HEADERS: ReadonlyMap<string, RawHeaders> = new Map(
  [JSON_TYPE, GRAPHQL_TYPE].map((type) => [type, ['Content-Type', `${type}; charset=utf-8`]]),
);

/** @param countResponse receives the status of each response */
export function createResponseSender(cors: CorsOptions | undefined, countResponse: (status: number) => void) {
  /** Responses by errors and media type. The guard gives the same array of errors for the same denial, so each is serialized once. */
  const errorResponses = new WeakMap<object, Map<string, RawResponse>>();

  function toResponse(result: ExecutionResult, mediaType: string): RawResponse {
    const { errors } = result;
    if (errors === undefined) return toSuccessResponse(result, mediaType);
    const byMediaType = errorResponses.get(errors) ?? new Map<string, RawResponse>();
    const cached = byMediaType.get(mediaType);
    if (cached !== undefined) return cached;
    const response = toErrorResponse(result, mediaType);
    errorResponses.set(errors, byMediaType.set(mediaType, response));
    return response;
  }

  return (result: ExecutionResult, mediaType: string, req: IncomingMessage, res: ServerResponse): void => {
    if (res.destroyed || res.writableEnded) return; // the client has disconnected
    const { status, headers, lastHeaders, body } = toResponse(result, mediaType);
    const corsHeaders =
      req.headers.origin === undefined || cors === undefined ? NO_HEADERS : toRawCorsHeaders(req, cors);
    const bytes = Buffer.byteLength(body);
    res.writeHead(status, [...headers, 'content-length', String(bytes), ...corsHeaders, ...lastHeaders]);
    res.end(body, bytes === body.length ? 'latin1' : 'utf8'); // ASCII has the same bytes in both, and latin1 is faster
    countResponse(status);
  };
}

function toSuccessResponse(result: ExecutionResult, mediaType: string): RawResponse {
  const headers = CONTENT_TYPE_HEADERS.get(mediaType) ?? NO_HEADERS; // has both media types
  return { status: 200, headers, lastHeaders: LAST_HEADERS, body: JSON.stringify(result) };
}

function toErrorResponse(result: ExecutionResult, mediaType: string): RawResponse {
  const { status, headers, body } = toYogaResponse(result, mediaType);
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return {
    status,
    headers: Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== 'content-length') // the sender adds it
      .flat(),
    lastHeaders: findMissingHeaders((name) => names.has(name)).flat(),
    body,
  };
}

function toRawCorsHeaders({ headers }: IncomingMessage, cors: CorsOptions): RawHeaders {
  return Object.entries(getCorsHeaders(headers, cors)).flatMap(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
}
