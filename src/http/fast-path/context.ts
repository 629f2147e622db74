// Creates the context of an operation on the fast path, with the request as WHATWG object if a resolver reads it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authentication } from '../../tokens/authenticate.ts';
import type { NodeRequest } from '../request-target.ts';
import type { GraphQLParams } from './parse-request.ts';

export interface FastPathContext {
  req: IncomingMessage;
  res: ServerResponse;
  [BODY]: Buffer;
}

const BODY = Symbol('body');

/** One getter for all contexts, because a getter in the literal would be created per request. It is an own property, so that copies of the context have it. */
const REQUEST_PROPERTY: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get(this: FastPathContext) {
    const request = toRequest(this.req, this.res, this[BODY]);
    Object.defineProperty(this, 'request', { value: request, writable: true });
    return request;
  },
  set(this: FastPathContext, value: unknown) {
    Object.defineProperty(this, 'request', { value, writable: true });
  },
};

/** Creates the context that resolvers receive, with the properties of Yoga's context. */
export function createFastPathContext(
  req: IncomingMessage,
  res: ServerResponse,
  params: GraphQLParams,
  { principal, problem }: Authentication,
  waitUntil: (promise: Promise<unknown>) => void,
  body: Buffer,
): FastPathContext {
  const context = { req, res, waitUntil, params, principal, tokenProblem: problem, [BODY]: body };
  return Object.defineProperty(context, 'request', REQUEST_PROPERTY);
}

/** The signal of the request is aborted if the client disconnects before the response is sent. */
function toRequest(req: IncomingMessage, res: ServerResponse, body: Buffer): Request {
  const { method = 'POST', originalUrl, url = '/', headers, socket } = req as NodeRequest & IncomingMessage; // Express adds properties
  const abortController = new AbortController();
  const abortIfUnfinished = () => {
    if (!res.writableFinished) abortController.abort();
  };
  if (res.closed) abortIfUnfinished();
  else res.once('close', abortIfUnfinished);
  const headerList = Object.entries(headers).flatMap(([name, value = '']) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, item]),
  );
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return new Request(`${scheme}://${headers.host || 'localhost'}${originalUrl ?? url}`, {
    signal: abortController.signal,
    method,
    headers: headerList,
    body: new Uint8Array(body),
  });
}
