// From a result to status, headers and body: what Yoga's door would answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CORSOptions, getCORSHeadersByRequestAndOptions } from '@whatwg-node/server';
import type { ExecutionResult } from 'graphql';
import { type FetchAPI, processRegularResult } from 'graphql-yoga';
import { RESPONSE_HEADERS } from '../headers.ts';

/** As Yoga takes it, but for the function. */
export type CorsOptions = Exclude<CORSOptions, false>;

/** What a request's `Accept` comes to, for those that clients send; the other door works out the rest. */
const ACCEPTED_TYPES: ReadonlyMap<string, string> = new Map([
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/json, */*', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  ['application/json, multipart/mixed', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json', 'application/graphql-response+json'],
  ['application/graphql-response+json,application/json;q=0.9', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  [
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'application/graphql-response+json',
  ],
]);

/** @returns undefined where the other door has to find out */
export function negotiateMediaType(accept: string | undefined): string | undefined {
  return ACCEPTED_TYPES.get(accept ?? '');
}

/** Names and values in turn, as `writeHead` takes them without making objects of them. */
type RawHeaders = readonly string[];

interface RawResponse {
  status: number;
  headers: RawHeaders;
  /** What comes after those of CORS. */
  lastHeaders: RawHeaders;
  body: string;
}

const NO_HEADERS: RawHeaders = [];
const LAST_HEADERS: RawHeaders = Object.entries(RESPONSE_HEADERS).flat();
const BASE_HEADERS: ReadonlyMap<string, RawHeaders> = new Map(
  [...ACCEPTED_TYPES.values()].map((type) => [type, ['Content-Type', `${type}; charset=utf-8`]]),
);

/** @param countResponse told of each status */
export function createResponseSender(cors: CorsOptions | undefined, countResponse: (status: number) => void) {
  /** Refusals are the same objects for request after request, so each is written out once. */
  const errorResponses = new WeakMap<object, Map<string, RawResponse>>();

  function toResponse(result: ExecutionResult, accepted: string): RawResponse {
    if (result.errors === undefined) return successResponse(result, accepted);
    const cached = errorResponses.get(result.errors)?.get(accepted);
    if (cached !== undefined) return cached;
    const response = errorResponse(result, accepted);
    const others = errorResponses.get(result.errors) ?? new Map<string, RawResponse>();
    errorResponses.set(result.errors, others.set(accepted, response));
    return response;
  }

  return (result: ExecutionResult, accepted: string, req: IncomingMessage, res: ServerResponse): void => {
    if (res.destroyed || res.writableEnded) return; // nobody is there any more
    const { status, headers, lastHeaders, body } = toResponse(result, accepted);
    const corsHeadersOfRequest =
      req.headers.origin === undefined || cors === undefined ? NO_HEADERS : corsHeaders(req, cors);
    const bytes = Buffer.byteLength(body);
    res.writeHead(status, [
      ...headers,
      'content-length',
      String(bytes),
      ...corsHeadersOfRequest,
      ...lastHeaders,
    ]);
    res.end(body, bytes === body.length ? 'latin1' : 'utf8'); // of ASCII both make the same bytes, one of them faster
    countResponse(status);
  };
}

function successResponse(result: ExecutionResult, accepted: string): RawResponse {
  const headers = BASE_HEADERS.get(accepted) ?? NO_HEADERS; // there is one
  return { status: 200, headers, lastHeaders: LAST_HEADERS, body: JSON.stringify(result) };
}

/** Status, headers and body are Yoga's; only the object that holds them is not a `Response`. */
function errorResponse(result: ExecutionResult, accepted: string): RawResponse {
  let response: RawResponse | undefined;
  function Captured(body: string, { status, headers }: { status: number; headers: Record<string, string> }) {
    const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length'); // ours is right
    response = { status, headers: others.flat(), lastHeaders: missingHeaders(headers), body };
  }
  processRegularResult(result, { Response: Captured } as unknown as FetchAPI, accepted); // all of it that is used
  if (response === undefined) throw new Error('Yoga has not answered');
  return response;
}

/** An error may bring headers of its own. */
function missingHeaders(headers: Readonly<Record<string, string>>): RawHeaders {
  const present = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return Object.entries(RESPONSE_HEADERS)
    .filter(([name]) => !present.has(name))
    .flat();
}

function corsHeaders({ headers }: IncomingMessage, cors: CorsOptions): RawHeaders {
  const get = (name: string) => headers[name]?.toString() ?? null;
  const request = { headers: { get } } as unknown as Request; // all of it that is used
  const corsHeaderMap = getCORSHeadersByRequestAndOptions(request, cors) ?? {};
  return Object.entries(corsHeaderMap).flatMap(([name, value]) => [name.toLowerCase(), value]);
}
