// Finds the headers of a caller in the context that an operation runs with, over HTTP and over a WebSocket.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A Yoga context, or that of the recipe for `graphql-ws`, which has no `request`. */
interface CallerContext {
  request?: Request | undefined;
  req?: IncomingMessage | undefined;
  /** From `graphql-ws`: the request that opened the WebSocket. */
  extra?: { request?: IncomingMessage | undefined } | undefined;
  /** From `graphql-ws`: chosen by the client when it connects. */
  connectionParams?: Readonly<Record<string, unknown>> | undefined;
}

/** The request as Node has it; undefined if something other than Node received it. */
export function findIncomingMessage(context: object): IncomingMessage | undefined {
  const { req, extra } = context as CallerContext; // each part may be missing
  return req ?? extra?.request;
}

/** One header of the caller; of a WebSocket, a header of the request that opened it. */
export function findHeader(context: object, name: string): string | undefined {
  const { request } = context as CallerContext; // each part may be missing
  if (request !== undefined) return request.headers.get(name) ?? undefined;
  const headers: Partial<IncomingHttpHeaders> | undefined = findIncomingMessage(context)?.headers; // a context may leave it out
  return headers?.[name]?.toString();
}

/**
 * Where the bearer token is. Browsers cannot set headers of a WebSocket, so clients send it as `connectionParams.authorization`;
 * without that, the headers of the request that opened the WebSocket count.
 */
export function findCredentials(context: object): Headers | { authorization?: string | undefined } {
  const { request, connectionParams } = context as CallerContext; // each part may be missing
  if (request !== undefined) return request.headers;
  for (const [name, value] of Object.entries(connectionParams ?? {})) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') return { authorization: value };
  }
  const { authorization } = findIncomingMessage(context)?.headers ?? {};
  return { authorization };
}
