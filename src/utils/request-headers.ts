// Finds the headers of a request in the context of an operation, over HTTP and over a WebSocket.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A context of Yoga; or one of `graphql-ws` as in docs/guide/websocket.md, without `request`. */
interface CallerContext {
  request?: Request | undefined;
  req?: IncomingMessage | undefined;
  /** From `graphql-ws`: the request that opened the WebSocket. */
  extra?: { request?: IncomingMessage | undefined } | undefined;
  /** From `graphql-ws`: sent by the client when it connects. */
  connectionParams?: Readonly<Record<string, unknown>> | undefined;
}

/** @returns Node's request object; undefined if another server than Node's received the request */
export function findIncomingMessage(context: object): IncomingMessage | undefined {
  const { req, extra } = context as CallerContext; // each part may be missing
  return req ?? extra?.request;
}

/** Finds one header of the request; over a WebSocket, of the request that opened it. */
export function findHeader(context: object, name: string): string | undefined {
  const { request } = context as CallerContext; // each part may be missing
  if (request !== undefined) return request.headers.get(name) ?? undefined;
  const headers: Partial<IncomingHttpHeaders> | undefined = findIncomingMessage(context)?.headers; // a context may leave it out
  return headers?.[name]?.toString();
}

/**
 * Finds the headers with the bearer token. Browsers cannot set headers of a WebSocket, so that clients send the token as
 * `connectionParams.authorization`; without it, the headers of the request that opened the WebSocket are used.
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
