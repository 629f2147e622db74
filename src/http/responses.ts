// Creates the responses that several plugins and listeners share: 405, and errors as JSON.
import type { ServerResponse } from 'node:http';
import type { FetchAPI } from 'graphql-yoga';
import { JSON_CONTENT_TYPE, RESPONSE_HEADERS } from './headers.ts';

interface ErrorResponse {
  status: number;
  code: string;
  message: string;
  headers?: Readonly<Record<string, string>>;
}

/** Status and headers for a resource that can only be read (RFC 9110, section 15.5.6). */
export const METHOD_NOT_ALLOWED = { status: 405, headers: Object.freeze({ Allow: 'GET, HEAD' }) } as const;

export function isReadMethod(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

export function methodNotAllowed({ Response }: FetchAPI): Response {
  const { status, headers } = METHOD_NOT_ALLOWED;
  // A copy: Yoga's `Response` keeps the object that it is given, and CORS adds headers of one request to it.
  return new Response(null, { status, headers: { ...headers } });
}

/** The body of a response with one error, in the form of a GraphQL response. */
export function toErrorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}

/** Sends an error without Yoga. */
export function sendError(res: ServerResponse, { status, code, message, headers }: ErrorResponse): void {
  const body = toErrorBody(code, message);
  res.writeHead(status, {
    'content-type': JSON_CONTENT_TYPE,
    ...headers,
    ...RESPONSE_HEADERS,
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}
